# SPDX-License-Identifier: Apache-2.0
"""Locks of users, projects and hosts."""

from console_api import errors, session_reasons, values
from console_api.api import audit
from console_api.api.request import Request
from console_api.api.response import Response, render_json, render_time
from console_api.audit.events import Kind
from console_api.sessions.locks import Lock

_SCOPES = ("user", "project", "host")


def index(request: Request[None]) -> Response:
    """List all locks by scope and name."""
    found = request.service.locks.list()
    return render_json({"locks": [_render(lock) for lock in found]})


def update(request: Request[None]) -> Response:
    """Create a lock, or change its reason.

    :raises LockNotFound: there is no such scope
    :raises InvalidInput: the name cannot be one
    """
    scope, name = _identity(request)
    if not name.isprintable() or len(name) > values.MAX_NAME_LENGTH:
        raise errors.InvalidInput(
            "Invalid input: the name of a lock has at most "
            f"{values.MAX_NAME_LENGTH} printable characters."
        )
    lock = request.service.locks.put(
        scope, name, request.body["lock"]["reason"]
    )
    audit.record(
        request,
        Kind.CUT,
        reason=session_reasons.LOCKED,
        **{f"locked_{scope}": name},
    )
    return render_json({"lock": _render(lock)})


def delete(request: Request[None]) -> Response:
    """Delete a lock.

    :raises LockNotFound: it does not exist
    """
    scope, name = _identity(request)
    if not name.isprintable():
        # Databases refuse some of what cannot be a name.
        raise errors.LockNotFound(scope, name)
    request.service.locks.delete(scope, name)
    return Response(204)


def _identity(request: Request[None]) -> tuple[str, str]:
    """Return the scope and the name that the path has."""
    # WSGI passes the bytes of the path decoded as Latin-1.
    scope, name = (
        request.path[name].encode("latin-1").decode(errors="replace")
        for name in ("scope", "name")
    )
    if scope not in _SCOPES:
        raise errors.LockNotFound(scope, name)
    return scope, name


def _render(lock: Lock) -> dict[str, object]:
    return {
        "scope": lock.scope,
        "name": lock.name,
        "reason": lock.reason,
        "created_at": render_time(lock.created_at),
    }
