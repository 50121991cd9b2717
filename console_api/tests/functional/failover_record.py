# SPDX-License-Identifier: Apache-2.0
"""What the API has acknowledged to clients, and whether it is stored."""

import hashlib

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional.databases import TestDatabase


class Record:
    """Acknowledged consoles and tokens, and what is wrong with them."""

    def __init__(self, compute_host: str) -> None:
        """Start without any.

        :param compute_host: the patterns of the console hosts to check
        """
        self._compute_host = compute_host
        #: The ID of the console of each server, None if it has none.
        self.consoles: dict[str, int | None] = {}
        #: The server of each token.
        self.tokens: dict[str, str] = {}
        #: What is wrong: a lost console, for example.
        self.problems: list[str] = []
        self._used_ids: set[int] = set()

    def add_console(self, server_id: str, listed: list[int]) -> None:
        """Add a console that was created.

        :param listed: the IDs of the consoles of the server afterwards
        """
        if len(listed) != 1:
            self.problems.append(
                f"Server {server_id}: created, but listed are {listed}"
            )
            return
        [console_id] = listed
        if console_id in self._used_ids:
            self.problems.append(f"Console {console_id} was deleted before.")
        self._used_ids.add(console_id)
        self.consoles[server_id] = console_id

    def check_console(self, server_id: str, listed: list[int]) -> None:
        """Compare the listed consoles of a server with the acknowledged."""
        console_id = self.consoles[server_id]
        expected = [] if console_id is None else [console_id]
        if listed != expected:
            self.problems.append(
                f"Server {server_id}: listed are {listed}, not {expected}"
            )

    def add_token(self, token: str, server_id: str) -> None:
        """Add a token that was issued."""
        if token in self.tokens:
            self.problems.append("A token was issued twice.")
        self.tokens[token] = server_id

    def check_token(self, token: str, server_id: str) -> None:
        """Compare the server that a look-up returned."""
        if server_id != self.tokens[token]:
            self.problems.append(f"A token is for another server: {server_id}")

    def check_stored(
        self, database: TestDatabase, refused_issues: int
    ) -> None:
        """Compare what a database server stores; nothing may be in flight.

        :param refused_issues: the number of issues of a token that were
            answered with 503; each of them may have stored one
        """
        self._check_stored_consoles(database)
        self._check_stored_tokens(database, refused_issues)
        self.problems += check_console_hosts(database, self._compute_host)

    def _check_stored_consoles(self, database: TestDatabase) -> None:
        consoles = tables.consoles.c
        rows = database.rows(
            sa.select(consoles.server_id, consoles.id).where(
                consoles.server_id.in_(self.consoles)
            )
        )
        acknowledged = {
            (server_id, console_id)
            for server_id, console_id in self.consoles.items()
            if console_id is not None
        }
        stored = {(row.server_id, row.id) for row in rows}
        for lost in acknowledged - stored:
            self.problems.append(f"Acknowledged, but not stored: {lost}")
        for other in stored - acknowledged:
            self.problems.append(f"Stored, but not acknowledged: {other}")

    def _check_stored_tokens(
        self, database: TestDatabase, refused_issues: int
    ) -> None:
        tokens = tables.console_auth_tokens.c
        rows = database.rows(
            sa.select(tokens.token_hash).where(
                tokens.server_id.in_(set(self.tokens.values()))
            )
        )
        stored = {row.token_hash for row in rows}
        acknowledged = {
            hashlib.sha256(token.encode()).hexdigest() for token in self.tokens
        }
        lost = len(acknowledged - stored)
        if lost:
            self.problems.append(f"{lost} acknowledged tokens are not stored.")
        others = len(stored - acknowledged)
        if others > refused_issues:
            self.problems.append(
                f"{others} tokens are stored that were not acknowledged, but "
                f"only {refused_issues} requests were refused."
            )


def check_console_hosts(
    database: TestDatabase, compute_hosts: str
) -> list[str]:
    """Check that counters and ports match the consoles.

    :param compute_hosts: the patterns of the console hosts to check
    :returns: what is wrong
    """
    consoles = tables.consoles.c
    problems = []
    hosts = tables.console_hosts
    for host in database.rows(
        sa.select(hosts).where(hosts.c.compute_hosts == compute_hosts)
    ):
        rows = database.rows(
            sa.select(consoles.port).where(consoles.console_host_id == host.id)
        )
        ports = [row.port for row in rows]
        if host.console_count != len(ports):
            problems.append(
                f"{host.host} counts {host.console_count} consoles instead "
                f"of {len(ports)}."
            )
        if host.multiplex_port is not None:
            continue
        allowed = set(range(host.min_port, host.max_port + 1))
        if len(set(ports)) < len(ports) or not set(ports) <= allowed:
            problems.append(f"{host.host} has the ports {sorted(ports)}.")
    return problems
