# SPDX-License-Identifier: Apache-2.0
"""The API as a WSGI application: routing and request processing."""

import functools
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from wsgiref.util import request_uri

from microversion_parse import Version

from console_api import errors
from console_api.api import body, faults, microversion
from console_api.api.faults import Fault
from console_api.api.middleware import context, request_log
from console_api.api.request import Request
from console_api.api.response import Header, Response
from console_api.api.routes import RESOURCES, AnyRoute, Match, RouteTable
from console_api.api.service import Service
from console_api.bulkhead import RequestSlot
from console_api.policy import enforcer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


# Clients look for servers at the endpoint that they use for consoles.
_NOT_FOUND = (
    "The resource could not be found. This endpoint serves consoles only, as "
    "the service type console of the catalog; servers and other resources are "
    "at the endpoint of the Compute service, the service type compute."
)


class Application:
    """Serves the operations of the route table.

    Clients rely on the order of the checks, so it is part of the API: route,
    method, microversion, content type, JSON, project in the URL, action,
    microversion range of the operation, schema, policy, then the operation's
    own checks.
    """

    def __init__(
        self,
        service: Service,
        *,
        microversions: bool = True,
        resources: Container[str] = RESOURCES,
    ) -> None:
        """Compile the route table.

        :param microversions: whether clients may request a microversion;
            under /v2 they may not, the lowest applies, and unknown properties
            of a body are ignored
        :param resources: names of the resources to serve, as in
            ``routes.RESOURCES``
        """
        self._service = service
        self._microversions = microversions
        self.routes = RouteTable(resources)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond to a WSGI request."""
        match = self.routes.match(
            environ["PATH_INFO"], environ["REQUEST_METHOD"]
        )
        if match is None:
            return faults.from_error(Fault(404, _NOT_FOUND)).send(
                environ, start_response
            )
        if match.route is None:
            request_log.note_route(environ, match.template, match.variables)
            fault = faults.method_not_allowed(match.allowed)
            return faults.from_error(fault).send(environ, start_response)
        response, headers = self.process(environ, match, match.route)
        return response.send(environ, start_response, headers)

    def process(
        self, environ: "WSGIEnvironment", match: Match, route: AnyRoute
    ) -> tuple[Response, Sequence[Header]]:
        """Perform a request to an operation.

        :returns: the response, which is a fault if the request fails, and
            the headers that name the microversion in force
        """
        request_log.note_route(environ, match.template, match.variables)
        version_headers: Sequence[Header] = ()
        try:
            if self._microversions:
                version = microversion.negotiate(environ)
                version_headers = microversion.headers(version)
            else:
                version = microversion.MIN_VERSION
            with RequestSlot(
                self._service.reserved
                if route.reserved
                else self._service.bulkhead
            ):
                response = self._perform(environ, match, route, version)
        except Exception as error:  # noqa: BLE001 (logged, neutral response)
            response = faults.from_error(error)
        return response, version_headers

    def _perform(
        self,
        environ: "WSGIEnvironment",
        match: Match,
        route: AnyRoute,
        version: Version,
    ) -> Response:
        document = body.read(environ)
        caller = context.of_request(environ)
        check_project(match, caller.project_id)
        if route.actions:
            _check_action(route, document)
        if not route.min_version <= version <= route.max_version:
            raise self._out_of_range(route, version)
        query = _read_query(environ)
        if query and route.query is not None:
            route.query.validate(version, query)
        if route.body is not None:
            route.body.validate(
                version, document, lenient=not self._microversions
            )
        enforcer.check_scope(caller)
        target = route.target(
            self._service, caller, route.rule, match.variables
        )
        return route.action(
            Request(
                service=self._service,
                context=caller,
                version=version,
                target=target,
                path=match.variables,
                query=query,
                body=document,
                url=functools.partial(request_uri, environ, False),
                remote_address=environ.get("REMOTE_ADDR"),
            )
        )

    def _out_of_range(self, route: AnyRoute, version: Version) -> Fault:
        lowest, highest = route.min_version, route.max_version
        nearest = min(max(version, lowest), highest)
        header = f"{microversion.STANDARD_HEADER}: compute {nearest}"
        return Fault(
            404,
            f"This operation requires a microversion from {lowest} to "
            f"{highest}, but the request uses {version}. Use "
            f"{route.alternative} instead, or send the header {header}"
            f"{'' if self._microversions else ' below /v2.1'}.",
        )


def _check_action(route: AnyRoute, document: object) -> None:
    """Check the name of an action; the schema checks the rest."""
    if not isinstance(document, dict) or len(document) != 1:
        raise errors.InvalidInput(
            "The body must be a JSON object with one key, the name of the "
            "action."
        )
    [name] = document
    if name not in route.actions:
        raise errors.InvalidInput(f"There is no such action: {name[:64]}")


def _read_query(environ: "WSGIEnvironment") -> Mapping[str, str]:
    text = environ.get("QUERY_STRING", "")
    if not text:
        return {}
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query.setdefault(name, value)
    return query


def check_project(match: Match, project_id: str | None) -> None:
    """Check the project in a URL, if there is one.

    :raises InvalidInput: it is not the project of the caller
    """
    in_url = match.variables.get("project_id")
    if in_url is not None and in_url != project_id:
        raise errors.InvalidInput(
            f"Malformed request URL: the project {in_url[:64]} in the URL is "
            "not the project that the request is authenticated for."
        )
