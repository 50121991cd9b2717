# SPDX-License-Identifier: Apache-2.0
"""The application: from a WSGI request to an operation and back."""

import contextlib
import functools
import json
from collections.abc import Container, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import webob
import webob.exc
from microversion_parse import Version

from console_api import errors
from console_api.api import faults, microversion, subrequest
from console_api.api.faults import Fault
from console_api.api.middleware import context, request_log
from console_api.api.request import Request
from console_api.api.response import Header, Response
from console_api.api.routes import RESOURCES, Match, Route, RouteTable
from console_api.api.service import Service
from console_api.directory import pipeline
from console_api.directory.base import SKIP_FILTER
from console_api.policy import enforcer

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

_CONTENT_TYPES = frozenset(
    {
        "",
        "application/json",
        "application/vnd.openstack.compute+json",
        "text/plain",
    }
)

# Refusals that leave open whether what was asked for is ours.
_MAYBE_THEIRS = (
    Fault,
    errors.Forbidden,
    errors.InvalidInput,
    errors.NotFound,
    errors.ProjectScopeRequired,
)

_SKIP_FILTER = f"HTTP_{SKIP_FILTER.upper().replace('-', '_')}"


class Dispatcher:
    """Judges a request in the order that clients know, then answers it.

    Route and method, microversion, content type, JSON, project in the URL,
    version range of the operation, schema, and then the operation's own
    checks.  As a filter (with a next application) it answers its own
    operations and hands on everything else untouched.
    """

    def __init__(
        self,
        service: Service,
        *,
        microversions: bool = True,
        resources: Container[str] = RESOURCES,
        next_app: "WSGIApplication | None" = None,
    ) -> None:
        """Prepare the route table.

        :param microversions: whether clients may ask for one; under /v2
            they may not, and the lowest is in force
        :param resources: the names of those whose operations are ours
        :param next_app: who answers what is not ours; nobody if left out
        """
        self._service = service
        self._microversions = microversions
        self._next_app = next_app
        self._routes = RouteTable(resources)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one WSGI request."""
        match = self._routes.match(environ["PATH_INFO"])
        method = environ["REQUEST_METHOD"].replace("HEAD", "GET")
        route = match.operations.get(method) if match is not None else None
        if self._next_app is not None and (
            route is None
            or _SKIP_FILTER in environ
            or not _is_ours(route, environ)
        ):
            return self._next_app(environ, start_response)
        if match is None:
            return faults.from_status(404).send(environ, start_response)
        request_log.note_route(environ, match.template, match.variables)
        if route is None:
            fault = faults.method_not_allowed(match.allowed)
            return faults.from_error(fault).send(environ, start_response)
        version_headers: Sequence[Header] = ()
        try:
            version = microversion.MIN_VERSION
            if self._microversions:
                version = microversion.negotiate(environ)
                version_headers = microversion.headers(version)
            with self._asking(environ):
                response = self._perform(environ, match, route, version)
        except Exception as error:  # noqa: BLE001 (logged and made neutral)
            if (
                self._next_app is not None
                and route.shared
                and isinstance(error, _MAYBE_THEIRS)
            ):
                return self._next_app(environ, start_response)
            response = faults.from_error(error)
        return response.send(environ, start_response, version_headers)

    def _asking(
        self, environ: "WSGIEnvironment"
    ) -> contextlib.AbstractContextManager[None]:
        """Let the directory ask the API behind the filter, if there is one."""
        if self._next_app is None:
            return contextlib.nullcontext()
        return pipeline.asking(
            functools.partial(subrequest.get, environ, self._next_app)
        )

    def _perform(
        self,
        environ: "WSGIEnvironment",
        match: Match,
        route: Route,
        version: Version,
    ) -> Response:
        body = _read_body(environ)
        caller = context.of_request(environ)
        _check_project(match, caller.project_id)
        if not route.min_version <= version <= route.max_version:
            raise Fault(404)
        query = _read_query(environ)
        if query and route.query is not None:
            route.query.validate(version, query)
        if route.body is not None:
            route.body.validate(version, body)
        enforcer.check_scope(caller)
        return route.action(
            Request(
                service=self._service,
                context=caller,
                version=version,
                path=match.variables,
                query=query,
                body=body,
            )
        )


def _is_ours(route: Route, environ: "WSGIEnvironment") -> bool:
    if not route.actions:
        return True
    # The next application reads the body again from its start.
    request = webob.Request(environ)
    request.make_body_seekable()
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return False
    except Exception:  # noqa: BLE001 (each WSGI server raises its own)
        # Broken off or too long; `_read_body` finds that out, too.
        return True
    return isinstance(body, dict) and any(
        name in body for name in route.actions
    )


def _read_body(environ: "WSGIEnvironment") -> Any:
    """Return the JSON document that was sent, None if there is none."""
    if not _has_body(environ):
        return None
    try:
        text = webob.Request(environ).body
    except webob.exc.HTTPRequestEntityTooLarge as error:
        raise Fault(413) from error
    except Exception as error:
        # Each WSGI server raises its own for a body that breaks off.
        raise Fault(400, "The request body cannot be read.") from error
    if not text:
        return None
    content_type = environ.get("CONTENT_TYPE", "").partition(";")[0]
    if content_type.strip().lower() not in _CONTENT_TYPES:
        raise Fault(
            415,
            f"Unsupported Content-Type {content_type[:64]!r}. Send "
            "application/json.",
        )
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Fault(400, "Malformed request body") from error


def _has_body(environ: "WSGIEnvironment") -> bool:
    if environ.get("CONTENT_LENGTH"):
        return True
    if not environ.get("HTTP_TRANSFER_ENCODING"):
        return False
    if not environ.get("wsgi.input_terminated"):
        # It would look like an empty one.
        raise Fault(411)
    return True


def _read_query(environ: "WSGIEnvironment") -> dict[str, str]:
    text = environ.get("QUERY_STRING", "")
    if not text:
        return {}
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query.setdefault(name, value)
    return query


def _check_project(match: Match, project_id: str | None) -> None:
    in_url = match.variables.get("project_id")
    if in_url is not None and in_url != project_id:
        raise errors.InvalidInput(
            f"Malformed request URL: the project {in_url[:64]} in it is not "
            "the one that the request is authenticated for."
        )
