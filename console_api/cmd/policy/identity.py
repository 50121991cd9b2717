# SPDX-License-Identifier: Apache-2.0
"""Callers that are described on the command line or by a token.

They become request contexts in the way that those of requests do.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from keystoneauth1 import access
from oslo_context.context import RequestContext

from console_api import errors
from console_api.api.middleware import context
from console_api.cmd.arguments import argument
from console_api.cmd.commands import UsageError

#: The project of a caller, unless another one is named.
PROJECT = "project"

_USER = "user"

#: What policies can compare of a caller.
Identity: TypeAlias = Mapping[str, object]

# The headers of keystonemiddleware, by attribute.
_HEADERS = {
    "user_id": "HTTP_X_USER_ID",
    "user_domain_id": "HTTP_X_USER_DOMAIN_ID",
    "project_id": "HTTP_X_PROJECT_ID",
    "project_domain_id": "HTTP_X_PROJECT_DOMAIN_ID",
    "domain_id": "HTTP_X_DOMAIN_ID",
    "system_scope": "HTTP_OPENSTACK_SYSTEM_SCOPE",
    "is_admin_project": "HTTP_X_IS_ADMIN_PROJECT",
    "roles": "HTTP_X_ROLES",
    "service_user_id": "HTTP_X_SERVICE_USER_ID",
    "service_user_domain_id": "HTTP_X_SERVICE_USER_DOMAIN_ID",
    "service_project_id": "HTTP_X_SERVICE_PROJECT_ID",
    "service_project_domain_id": "HTTP_X_SERVICE_PROJECT_DOMAIN_ID",
    "service_roles": "HTTP_X_SERVICE_ROLES",
}

# Raised for documents of another form.
_MALFORMED = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    # Nested too deeply.
    RecursionError,
)

_SCOPES = {
    "system": {"system_scope": "all"},
    "domain": {"domain_id": "domain"},
    "none": {},
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that describe a caller."""
    group = parser.add_argument_group("caller")
    group.add_argument(
        "--roles",
        metavar="ROLES",
        type=_names,
        help="The roles of the caller, separated by commas.",
    )
    _add_scope(group.add_mutually_exclusive_group())
    group.add_argument(
        "--user",
        metavar="ID",
        help=f'The user ID of the caller. (default: "{_USER}")',
    )
    group.add_argument(
        "--attribute",
        metavar="NAME=VALUE",
        action="append",
        dest="attributes",
        type=argument(_attribute),
        help="Another attribute of the caller, such as "
        "user_domain_id=default. Can be repeated.",
    )
    group.add_argument(
        "--token",
        metavar="FILE",
        help="Take the caller from a file instead: the response of the "
        "Identity service to GET /v3/auth/tokens, or an object with "
        'attributes such as "roles" and "project_id". "-" is standard input.',
    )
    group.add_argument(
        "--service-roles",
        metavar="ROLES",
        type=_names,
        help="The roles of the service that acts for the caller and sends its "
        "own token in X-Service-Token.",
    )


def _add_scope(scope: argparse._MutuallyExclusiveGroup) -> None:
    scope.add_argument(
        "--project",
        metavar="ID",
        help=f'The project of the caller. (default: "{PROJECT}")',
    )
    for option, name, scoped in (
        ("--system-scope", "system", "scoped to the system"),
        ("--domain-scope", "domain", "scoped to a domain"),
        ("--unscoped", "none", "unscoped"),
    ):
        scope.add_argument(
            option,
            dest="scope",
            action="store_const",
            const=name,
            help=f"The token of the caller is {scoped}.",
        )


def from_options(options: argparse.Namespace) -> RequestContext:
    """Return the caller that options describe.

    :raises UsageError: they contradict each other
    :raises InvalidInput: the token is malformed
    :raises OSError: the token cannot be read
    """
    identity: dict[str, object]
    if options.token is None:
        identity = _described(options)
    elif options.roles is not None or any(
        (options.project, options.scope, options.user, options.attributes)
    ):
        raise UsageError(
            "--token describes the whole caller. Of the other options, only "
            "--service-roles can be added."
        )
    else:
        identity = dict(from_token(_read(options.token)))
    if options.service_roles is not None:
        identity.setdefault("service_user_id", "service")
        identity["service_roles"] = options.service_roles
    return make_context(identity)


def from_token(data: bytes) -> Identity:
    """Return the caller that a token describes.

    :param data: the response to ``GET /v3/auth/tokens``, or an object with
        attributes as oslo.policy compares them
    :raises InvalidInput: it is something else
    """
    try:
        document = json.loads(data)
        if "token" in document:
            return _of_response(document)
        return _of_attributes(document)
    except _MALFORMED as error:
        raise errors.InvalidInput(
            "The token is neither a response to GET /v3/auth/tokens nor an "
            'object with attributes such as {"roles": ["member"], '
            '"project_id": "ID"}.'
        ) from error


def make_context(identity: Identity) -> RequestContext:
    """Return the context of a request of a caller.

    It is made of the headers that keystonemiddleware would set.
    """
    environ = {
        header: ",".join(value) if isinstance(value, list) else str(value)
        for name, header in _HEADERS.items()
        if (value := identity.get(name)) is not None
    }
    return context.of_request(environ)


def _described(options: argparse.Namespace) -> dict[str, object]:
    scope = {"project_id": options.project or PROJECT}
    return {
        "user_id": options.user or _USER,
        "roles": options.roles or [],
        **(_SCOPES[options.scope] if options.scope else scope),
        **dict(options.attributes or ()),
    }


def _of_response(document: Any) -> Identity:
    token = access.AccessInfoV3(document)
    names = _HEADERS.keys() - {"roles", "system_scope"}
    return {
        **{name: getattr(token, name, None) for name in names},
        "roles": _list(token.role_names),
        "system_scope": "all" if token.system_scoped else None,
    }


def _of_attributes(document: Any) -> Identity:
    if not document.keys() & _HEADERS.keys():
        raise ValueError("no attribute of a caller")
    identity = {"user_id": _USER, **document}
    for name in ("roles", "service_roles"):
        identity[name] = _list(identity.get(name) or [])
    return identity


def _list(value: object) -> list[str]:
    if not isinstance(value, list) or not all(
        isinstance(each, str) for each in value
    ):
        raise TypeError("not a list of names")
    return value


def _names(text: str) -> Sequence[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    names = sorted(_HEADERS.keys() - {"roles", "service_roles"})
    if not equals or name not in names:
        raise ValueError(
            f"must be NAME=VALUE, where NAME is one of {', '.join(names)}"
        )
    return name, value


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    return Path(path).read_bytes()
