# SPDX-License-Identifier: Apache-2.0
"""List, create, show and delete the consoles of a server."""

import secrets
import string
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console_api import errors
from console_api.consoles import placement
from console_api.db import console_hosts, consoles
from console_api.db.consoles import Placed
from console_api.db.engine import Database
from console_api.directory.base import Server
from console_api.keys.repository import KeyRepository

# Eight characters: what the VNC authentication takes, and xvp with it.
PASSWORD_LENGTH = 8
_PASSWORD_ALPHABET = string.ascii_letters + string.digits

# How often a request that was overtaken looks again before it gives up.
_PLACE_TRIES = 5


@dataclass(frozen=True, slots=True)
class ConsoleSummary:
    """A console as a list shows it."""

    id: int
    console_type: str


@dataclass(frozen=True, slots=True)
class Console:
    """A console with all that a client needs to reach it.

    ``host`` is the public host name of its console host; ``port`` is None
    when the console host has not said which.
    """

    id: int
    console_type: str
    instance_name: str
    host: str
    port: int | None
    password: str


class ConsoleManager:
    """The operations on consoles, for a server that the caller may use."""

    def __init__(
        self,
        database: Database,
        keys: KeyRepository,
        console_types: Sequence[str],
        host_down_time: int,
    ) -> None:
        """Place consoles of these types, the preferred one first.

        :param host_down_time: seconds after which a console host that was
            not seen gets no new consoles
        """
        self._database = database
        self._keys = keys
        self._console_types = tuple(console_types)
        self._host_down_time = host_down_time

    def list(
        self, server: Server, *, marker: int = 0, limit: int
    ) -> list[ConsoleSummary]:
        """Return the server's consoles after an id, in order of ids."""
        return [
            ConsoleSummary(row.id, row.console_type)
            for row in consoles.list_of_server(
                self._database, server.uuid, marker, limit
            )
        ]

    def show(self, server: Server, console_id: int) -> Console:
        """Return one console with its password.

        :raises ConsoleNotFound: the server has no such console
        """
        row = consoles.get(self._database, server.uuid, console_id)
        if row is None:
            raise errors.ConsoleNotFound(str(console_id))
        return Console(
            id=row.id,
            console_type=row.console_type,
            instance_name=row.instance_name,
            host=row.public_hostname,
            port=row.port,
            password=self._keys.decrypt(row.encrypted_password),
        )

    def delete(self, server: Server, console_id: int) -> None:
        """Delete a console.

        :raises ConsoleNotFound: the server has no such console
        """
        if not consoles.delete(self._database, server.uuid, console_id):
            raise errors.ConsoleNotFound(str(console_id))

    def create(self, server: Server) -> None:
        """Make sure that the server has a console that can be used.

        Makes the first console type that a console host which is enabled
        and up offers for the server's compute host.  Does nothing if a
        console host that serves that compute host has it already.  A
        console that was left behind on a console host that no longer does is
        moved instead.

        :raises NoConsoleHost: no console host can take it
        :raises ServerNotFound: the server was deleted meanwhile
        """
        for _attempt in range(_PLACE_TRIES):
            outcome = self._place(server)
            if outcome is Placed.DONE:
                return
            if outcome is Placed.SERVER_GONE:
                raise errors.ServerNotFound(server.uuid)
        raise errors.NoConsoleHost(
            f"The consoles of server {server.uuid} keep changing. Try again."
        )

    def _place(self, server: Server) -> Placed:
        if server.compute_host is None:
            raise errors.NoConsoleHost(
                f"Server {server.uuid} is on no compute host yet. Try again "
                "when it is."
            )
        placed = consoles.placed_of_server(self._database, server.uuid)
        there = {row.console_type: row for row in placed}
        left_behind = next(
            (row for row in placed if not _in_use(row, server)), None
        )
        hosts = console_hosts.list_enabled(self._database)
        down = False
        for console_type in self._console_types:
            console = there.get(console_type)
            if console is not None and _in_use(console, server):
                return Placed.DONE
            serving = placement.candidates(
                hosts, console_type, server.compute_host
            )
            candidates = list(filter(self._is_up, serving))
            down = down or len(serving) > len(candidates)
            for host in candidates:
                outcome = self._put(server, console or left_behind, host)
                if outcome is not Placed.NO_ROOM:
                    return outcome
            if candidates:
                raise errors.NoConsoleHost(
                    f"No console host for server {server.uuid} has a free "
                    "port. Try again later, or ask the operator for more."
                )
        if down:
            raise errors.NoConsoleHost(
                f"The console hosts for server {server.uuid} are down. Try "
                "again later, or ask the operator to start their agents."
            )
        raise errors.NoConsoleHost(
            f"No console host serves the compute host of server "
            f"{server.uuid}. Ask the operator to register one."
        )

    def _is_up(self, host: sa.Row[Any]) -> bool:
        return placement.is_up(
            host.last_seen_at, time.time(), self._host_down_time
        )

    def _put(
        self, server: Server, console: sa.Row[Any] | None, host: sa.Row[Any]
    ) -> Placed:
        if console is not None:
            return consoles.move(
                self._database, console.id, console.console_host_id, host
            )
        return consoles.insert(
            self._database,
            host,
            {
                "server_id": server.uuid,
                "instance_name": server.instance_name,
                "encrypted_password": self._keys.encrypt(generate_password()),
                "created_at": int(time.time()),
            },
        )


def generate_password() -> str:
    """Make a password of letters and digits from a cryptographic source."""
    return "".join(
        secrets.choice(_PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH)
    )


def _in_use(console: sa.Row[Any], server: Server) -> bool:
    return placement.serves(console.compute_hosts, server.compute_host)
