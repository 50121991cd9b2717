# SPDX-License-Identifier: Apache-2.0
"""List, create, show and delete the consoles of a server."""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

from console_api import errors
from console_api.consoles import placement
from console_api.consoles.placement import Plan
from console_api.db import console_expiry, console_hosts, consoles
from console_api.db.consoles import ConsoleSummary, NewConsole, Placed
from console_api.db.engine import Database
from console_api.directory.base import Server
from console_api.keys.repository import KeyRepository

# The longest password that VNC authentication, and so xvp, supports.
PASSWORD_LENGTH = 8
_PASSWORD_ALPHABET = string.ascii_letters + string.digits

# Maximum number of plans for a request that loses races.
_MAX_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Console:
    """A console with everything that a client needs to connect to it.

    ``host`` is the public name of its console host.
    """

    id: int
    console_type: str
    instance_name: str
    host: str
    port: int | None
    password: str = field(repr=False)


class ConsoleManager:
    """Operations on the consoles of a server that the caller may access."""

    def __init__(
        self,
        database: Database,
        keys: KeyRepository,
        console_types: Sequence[str],
        host_down_time: int,
        lifetime: int = 0,
    ) -> None:
        """Prepare the operations.

        :param console_types: the types of new consoles, the preferred one
            first
        :param host_down_time: seconds without a heartbeat after which a
            console host gets no new consoles
        :param lifetime: seconds after which a new console expires; 0 means
            never
        """
        self._database = database
        self._keys = keys
        self._console_types = tuple(console_types)
        self._host_down_time = host_down_time
        self._lifetime = lifetime or None

    def list(
        self, server: Server, *, marker: int = 0, limit: int
    ) -> list[ConsoleSummary]:
        """Return the consoles of a server in the order of their ids.

        :param marker: the id after which to start
        :param limit: the maximum number of consoles
        """
        return consoles.list_of_server(
            self._database, server.uuid, marker, limit
        )

    def show(self, server: Server, console_id: int) -> Console:
        """Return a console with its password.

        :raises ConsoleNotFound: the server has no such console
        :raises ConfigurationError: none of the keys decrypts the password
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
        """Ensure that a server has a console that can be used.

        A console that has expired is replaced by a new one.  See
        ``placement.plan`` for where it is placed.

        :raises NoConsoleHost: no console host can serve it
        :raises ServerNotFound: the server was deleted concurrently
        """
        for _attempt in range(_MAX_ATTEMPTS):
            outcome = self._carry_out(self._plan(server), server)
            if outcome is Placed.DONE:
                return
            if outcome is Placed.SERVER_GONE:
                raise errors.ServerNotFound(server.uuid)
        raise errors.NoConsoleHost(
            f"The consoles of server {server.uuid} keep changing. Retry the "
            "request."
        )

    def _plan(self, server: Server) -> Plan:
        placed = []
        for console in consoles.placed_of_server(self._database, server.uuid):
            if console.is_expired:
                # Its place is needed before the clean-up deletes it.
                consoles.delete(self._database, server.uuid, console.id)
            else:
                placed.append(console)
        return placement.plan(
            server,
            placed,
            console_hosts.list_all(self._database),
            self._console_types,
            down_time=self._host_down_time,
        )

    def _carry_out(self, plan: Plan, server: Server) -> Placed:
        """Place the console on the first candidate with room.

        :raises NoConsoleHost: there is none
        """
        for host in plan.candidates:
            if plan.console is not None:
                outcome = consoles.move(
                    self._database,
                    plan.console.id,
                    plan.console.console_host_id,
                    host,
                )
            else:
                outcome = consoles.insert(
                    self._database, host, self._new_console(server)
                )
            if outcome is not Placed.NO_ROOM:
                return outcome
        if plan.refusal is not None:
            raise errors.NoConsoleHost(plan.refusal)
        return Placed.DONE

    def _new_console(self, server: Server) -> NewConsole:
        return NewConsole(
            server_id=server.uuid,
            instance_name=server.instance_name,
            encrypted_password=self._keys.encrypt(generate_password()),
            lifetime=self._lifetime,
        )


def generate_password() -> str:
    """Return a random password of letters and digits."""
    return "".join(
        secrets.choice(_PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH)
    )


def delete_expired(database: Database, limit: int) -> int:
    """Delete consoles that have expired.

    :param limit: the maximum number of consoles
    :returns: how many were deleted, other than by concurrent clean-ups
    """
    return sum(
        consoles.delete(database, server_id, console_id)
        for server_id, console_id in console_expiry.list_expired(
            database, limit
        )
    )
