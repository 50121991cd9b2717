# SPDX-License-Identifier: Apache-2.0
"""The methods of ``connection.console`` that decide on access to screens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, Union
from urllib.parse import quote

from openstack import exceptions, proxy, resource
from openstack.compute.v2 import server as server_resource

from console_api_client.sdk.resources import (
    SILENT,
    ConsoleLock,
    ConsoleSession,
)

#: A server, or its UUID.
Server = Union[server_resource.Server, str]

_R = TypeVar("_R", bound=resource.Resource)

#: The protocols of the console types that a browser shows.
PROTOCOLS = {"novnc": "vnc", "spice-html5": "spice", "serial": "serial"}

# The first microversion with remote consoles.
_REMOTE_CONSOLES = "2.6"


class AccessProxy(proxy.Proxy):
    """Access URLs, console auth tokens, sessions and locks."""

    def create_url(
        self, server: Server, console_type: str, access: str | None = None
    ) -> str:
        """Create a remote console, and return its access URL.

        The URL contains a token that grants access to the server. It is not
        logged.

        :param console_type: one of ``PROTOCOLS``
        :param access: ``view-only`` to see the screen only, ``exclusive`` to
            disconnect other viewers, None for neither
        """
        path = f"/servers/{id_of(server)}/remote-consoles"
        console: dict[str, Any] = {
            "protocol": PROTOCOLS[console_type],
            "type": console_type,
        }
        if access == "view-only":
            path += "/view-only"
        elif access == "exclusive":
            console["exclusive"] = True
        response = self.post(
            path,
            json={"remote_console": console},
            microversion=_REMOTE_CONSOLES,
            logger=SILENT,
        )
        exceptions.raise_from_response(response)
        return str(response.json()["remote_console"]["url"])

    def revoke_token(self, token: str) -> None:
        """Revoke a console auth token."""
        path = f"/os-console-auth-tokens/{quote(token, safe='')}"
        exceptions.raise_from_response(self.delete(path))

    def revoke_server_tokens(self, server: Server) -> None:
        """Revoke all console auth tokens of a server, and cut its sessions."""
        path = f"/servers/{id_of(server)}/remote-consoles"
        exceptions.raise_from_response(self.delete(path))

    def console_sessions(
        self, server: Server | None = None, **query: Any
    ) -> Iterator[ConsoleSession]:
        """Iterate over sessions of the project, by default the open ones.

        :param server: only those of this server
        :param query: ``all_projects``, ``project_id``, ``user_id``,
            ``gateway``, ``state`` and ``limit``, the number of sessions per
            request
        """
        if server is not None:
            query["server_id"] = id_of(server)
        return iter(ConsoleSession.list(self, **query))

    def get_console_session(self, session_id: str) -> ConsoleSession:
        """Return a session."""
        response = self.get(path_of(ConsoleSession, session_id))
        return read(ConsoleSession, response)

    def delete_console_session(self, session_id: str) -> None:
        """Cut a session: its gateway disconnects the viewer."""
        exceptions.raise_from_response(
            self.delete(path_of(ConsoleSession, session_id))
        )

    def console_locks(self) -> Iterator[ConsoleLock]:
        """Iterate over the locks of users, projects and hosts."""
        return iter(ConsoleLock.list(self))

    def set_console_lock(
        self, scope: str, name: str, reason: str
    ) -> ConsoleLock:
        """Cut the sessions of a user, project or host, and refuse new ones.

        :param scope: ``user``, ``project`` or ``host``
        :param name: the ID of the user or project, or the name of a compute
            host or gateway
        :param reason: for administrators
        """
        body = {ConsoleLock.resource_key: {"reason": reason}}
        return read(
            ConsoleLock, self.put(path_of(ConsoleLock, scope, name), json=body)
        )

    def delete_console_lock(self, scope: str, name: str) -> None:
        """Allow sessions of a user, project or host again."""
        exceptions.raise_from_response(
            self.delete(path_of(ConsoleLock, scope, name))
        )


def id_of(server: Server) -> str:
    """Return the UUID of a server."""
    return str(resource.Resource._get_id(server))  # noqa: SLF001


def path_of(kind: type[resource.Resource], *names: str) -> str:
    """Return the path of one resource."""
    return "/".join(
        [kind.base_path, *(quote(name, safe="") for name in names)]
    )


def read(kind: type[_R], response: Any) -> _R:
    """Return the resource of a response.

    :raises openstack.exceptions.HttpException: it is an error
    """
    exceptions.raise_from_response(response)
    return kind.existing(**response.json()[kind.resource_key])
