# SPDX-License-Identifier: Apache-2.0
"""The methods of ``connection.console``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from openstack import exceptions

from console_api_client.sdk.access import (
    AccessProxy,
    Server,
    id_of,
    path_of,
    read,
)
from console_api_client.sdk.resources import (
    Console,
    ConsoleHost,
    ProjectConsole,
)

# Seconds that older releases of Nova may take to create a console.
_CREATION_TIMEOUT = 10

# Seconds between requests; agents look for changes about once a second.
_INTERVAL = 1.0

# Statuses of services that have no states, or show none to the caller.
_NO_STATES = frozenset({400, 403, 404, 405, 410})

# States of consoles, the most useful one first; None is not reported.
_PREFERENCE = ("serving", "pending", None, "unknown", "failed")


class Proxy(AccessProxy):
    """Consoles, console hosts, console auth tokens, sessions and locks.

    All methods raise ``openstack.exceptions.HttpException`` with the message
    of the service if it refuses a request.
    """

    def consoles(
        self, server: Server | None = None, **query: Any
    ) -> Iterator[ProjectConsole]:
        """Iterate over consoles of the project, with their states.

        :param server: only those of this server
        :param query: ``all_projects``, ``console_host``, ``console_type``,
            ``state`` and ``limit``, the number of consoles per request
        """
        if server is not None:
            query["server_id"] = id_of(server)
        return iter(ProjectConsole.list(self, **query))

    def server_consoles(self, server: Server) -> Iterator[Console]:
        """Iterate over consoles of a server, each with ID and type only."""
        return iter(Console.list(self, server_id=id_of(server)))

    def get_console(self, server: Server, console: Console | int) -> Console:
        """Return a console with its host, port and password."""
        return _console(server, console).fetch(self)

    def create_console(self, server: Server) -> Console:
        """Create a console, unless the server has a usable one.

        It may not be served yet, see ``wait_for_console``.

        :returns: the console, with its host, port and password
        :raises openstack.exceptions.ResourceTimeout: the service accepted
            the request, but there is no console
        """
        Console.new(server_id=id_of(server)).create(self)
        for _ in _attempts(_INTERVAL, _CREATION_TIMEOUT):
            # The response is empty: only the list has the ID.
            consoles = list(self.server_consoles(server))
            if consoles:
                return self.get_console(server, self._best(server, consoles))
        raise exceptions.ResourceTimeout(
            f"The console of server {id_of(server)} was requested, but has "
            f"not been created within {_CREATION_TIMEOUT} seconds."
        )

    def delete_console(self, server: Server, console: Console | int) -> None:
        """Delete a console."""
        _console(server, console).delete(self)

    def find_state(
        self, server: Server, console: Console | int
    ) -> ProjectConsole | None:
        """Return a console with its state.

        Administrators also get the consoles of other projects.

        :returns: None if the service has no states, such as Nova, or does not
            show this one to the caller
        """
        wanted = str(_console(server, console).id)
        queries: Sequence[dict[str, Any]] = ({}, {"all_projects": "true"})
        for query in queries:
            try:
                for found in self.consoles(server, **query):
                    if str(found.id) == wanted:
                        return found
            except exceptions.HttpException as error:
                if error.status_code in _NO_STATES:
                    return None
                raise
        return None

    def wait_for_console(
        self,
        server: Server,
        console: Console | int,
        interval: float = _INTERVAL,
        wait: float = 60,
    ) -> Console:
        """Wait until a viewer can connect to a console.

        The service reports whether the console host serves it.  Where the
        service has no states, wait until the console has a port.

        :param interval: seconds between requests
        :param wait: maximum seconds to wait
        :returns: the console, with its host, port and password
        :raises openstack.exceptions.ResourceFailure: the console host cannot
            serve it, or is down
        :raises openstack.exceptions.ResourceTimeout: it is not served in time
        """
        for _ in _attempts(interval, wait):
            found = self.find_state(server, console)
            if found is None:
                current = self.get_console(server, console)
                if current.port is not None:
                    return current
            elif found.state == "serving":
                # Fetched only now: its host and port may have changed.
                return self.get_console(server, console)
            elif found.state in {"failed", "unknown"}:
                raise exceptions.ResourceFailure(_failure(found))
        raise exceptions.ResourceTimeout(
            f"Console {_console(server, console).id} is not served after "
            f"{wait:g} s. Its console host has not opened it yet."
        )

    def console_hosts(self) -> Iterator[ConsoleHost]:
        """Iterate over the console hosts, once for each console type."""
        return iter(ConsoleHost.list(self))

    def get_console_host(self, host: str, console_type: str) -> ConsoleHost:
        """Return a console host with one of its console types."""
        return read(
            ConsoleHost, self.get(path_of(ConsoleHost, console_type, host))
        )

    def update_console_host(
        self, host: str, console_type: str, *, is_enabled: bool
    ) -> ConsoleHost:
        """Change whether a console host gets new consoles.

        :returns: the console host after the change
        """
        body = {ConsoleHost.resource_key: {"enabled": is_enabled}}
        return read(
            ConsoleHost,
            self.put(path_of(ConsoleHost, console_type, host), json=body),
        )

    def _best(self, server: Server, consoles: Sequence[Console]) -> Console:
        """Return the console to use: one of each type may exist."""
        if len(consoles) == 1:
            return consoles[0]

        def rank(console: Console) -> int:
            found = self.find_state(server, console)
            return _PREFERENCE.index(found.state if found else None)

        return min(consoles, key=rank)


def _console(server: Server, console: Console | int) -> Console:
    number = console.id if isinstance(console, Console) else console
    # A string: the SDK treats the number 0 as no ID.
    return Console.existing(id=str(number), server_id=id_of(server))


def _failure(console: ProjectConsole) -> str:
    where = f"console host {console.console_host}"
    if console.state == "unknown":
        problem = f"the {where} is down."
    else:
        problem = f"the {where} reports a failure"
        reason = str(console.reason or "").rstrip(".")
        problem += f": {reason}." if reason else "."
    return (
        f"Console {console.id} cannot be opened: {problem} "
        "Ask the operator of the cloud."
    )


def _attempts(interval: float, wait: float) -> Iterator[None]:
    """Iterate at intervals until the time is over, at least once."""
    deadline = time.monotonic() + wait
    yield
    while time.monotonic() < deadline:
        time.sleep(min(interval, max(deadline - time.monotonic(), 0)))
        yield
