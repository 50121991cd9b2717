# SPDX-License-Identifier: Apache-2.0
"""Clients of the API while its database fails over.

They create and delete consoles, issue console auth tokens and look them up.
Each repeats a request until it is acknowledged, so that it is always known
what must be stored.
"""

import http.client
import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

from console_api.db import tables
from console_api.tests.functional.base import token_of
from console_api.tests.functional.client import Reply
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.failover_figures import (
    WRITES,
    Figures,
    Outcome,
    summarize,
)
from console_api.tests.functional.failover_record import Record
from console_api.tests.functional.servers import Server
from console_api.tests.waiting import TIMEOUT

_REMOTE_CONSOLE = {"remote_console": {"protocol": "vnc", "type": "novnc"}}

_CONSOLE_THREADS = 4
_TOKEN_THREADS = 2
_SERVERS_PER_THREAD = 4

#: The maximum number of consoles that exist at a time.
MAX_CONSOLES = _CONSOLE_THREADS * _SERVERS_PER_THREAD

# Seconds between two requests of a thread.
_PAUSE = 0.05


class Load:
    """Clients in threads, with servers of their own."""

    def __init__(
        self, server: Server, database: TestDatabase, compute_host: str
    ) -> None:
        """Insert the servers; ``start`` starts the clients.

        :param server: the API, with noauth2
        :param database: where to insert the servers
        :param compute_host: the compute host of the servers, which a console
            host must serve
        """
        project = uuid.uuid4().hex
        self._member = server.client(user="user", project=project)
        self._admin = server.client(
            user="admin", project=project, version="2.99"
        )
        self._record = Record(compute_host)
        self._outcomes: list[Outcome] = []
        self._stopping = threading.Event()
        self._must_end_at = float("inf")
        self._threads = [
            threading.Thread(
                target=self._run,
                args=(
                    visit,
                    _insert_servers(database, project, compute_host),
                ),
                daemon=True,
            )
            for visit, count in (
                (self._visit_console, _CONSOLE_THREADS),
                (self._visit_tokens, _TOKEN_THREADS),
            )
            for _ in range(count)
        ]

    @property
    def problems(self) -> list[str]:
        """Errors other than 503 with Retry-After, and broken promises."""
        return self._record.problems

    def start(self) -> None:
        """Start the clients."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the clients when their pending requests are acknowledged."""
        self._must_end_at = time.monotonic() + TIMEOUT
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def abandon(self) -> None:
        """Stop the clients, even if the API does not answer."""
        self._must_end_at = 0
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def verify(self, *databases: TestDatabase) -> list[str]:
        """Compare what is stored with what was acknowledged.

        The clients must have stopped.

        :param databases: the same database on each server of a cluster
        :returns: all problems, those during the load included
        """
        for server_id in self._record.consoles:
            self._record.check_console(server_id, self._list(server_id))
        for token in self._record.tokens:
            self._look_up(token)
        refused_issues = self.statuses()["issue 503"]
        for database in databases:
            self._record.check_stored(database, refused_issues)
        return self.problems

    def statuses(self) -> Counter[str]:
        """Return the number of replies by operation and status."""
        return Counter(
            f"{outcome.operation} {outcome.status}"
            for outcome in self._outcomes.copy()
        )

    def has_written_since(self, moment: float) -> bool:
        """Return whether every kind of write has worked.

        :param moment: on the monotonic clock; requests sent before do not
            count
        """
        written = {
            outcome.operation
            for outcome in self._outcomes.copy()
            if outcome.is_acknowledged_write and outcome.started_at >= moment
        }
        return written == set(WRITES)

    def figures(
        self, event: str, began_at: float, switched_at: float
    ) -> Figures:
        """Return what the clients have noticed of an event.

        :param began_at: when it happened, on the monotonic clock
        :param switched_at: when new connections reached another server
        """
        return summarize(event, self._outcomes.copy(), began_at, switched_at)

    def refused_outside(
        self, windows: Sequence[tuple[float, float]]
    ) -> list[Outcome]:
        """Return the requests that got 503 outside these times.

        :param windows: beginnings and ends, on the monotonic clock
        """
        return [
            outcome
            for outcome in self._outcomes
            if outcome.status == 503
            and not any(
                begin <= outcome.ended_at <= end for begin, end in windows
            )
        ]

    def _run(
        self, visit: Callable[[str], None], server_ids: Sequence[str]
    ) -> None:
        for server_id in itertools.cycle(server_ids):
            if self._stopping.wait(_PAUSE):
                return
            visit(server_id)

    def _visit_console(self, server_id: str) -> None:
        """Create the console of a server, delete it, or only list it."""
        path = f"/servers/{server_id}/consoles"
        console_id = self._record.consoles.get(server_id)
        if console_id is None:
            self._repeat("create", lambda: self._member.post(path), {200})
            self._record.add_console(server_id, self._list(server_id))
            return
        if random.random() < 0.5:
            deleted = f"{path}/{console_id}"
            self._repeat("delete", lambda: self._member.delete(deleted), {202})
            self._record.consoles[server_id] = None
        self._record.check_console(server_id, self._list(server_id))

    def _list(self, server_id: str) -> list[int]:
        path = f"/servers/{server_id}/consoles"
        reply = self._repeat("list", lambda: self._member.get(path), {200})
        listed = reply.json["consoles"] if reply else []
        return [entry["console"]["id"] for entry in listed]

    def _visit_tokens(self, server_id: str) -> None:
        """Issue a token; look it up, and an older one."""
        path = f"/servers/{server_id}/remote-consoles"
        reply = self._repeat(
            "issue", lambda: self._admin.post(path, _REMOTE_CONSOLE), {200}
        )
        if reply is None:
            return
        token = token_of(reply.json["remote_console"]["url"])
        self._record.add_token(token, server_id)
        self._look_up(token)
        self._look_up(random.choice(list(self._record.tokens)))

    def _look_up(self, token: str) -> None:
        path = f"/os-console-auth-tokens/{token}"
        reply = self._repeat("look up", lambda: self._admin.get(path), {200})
        if reply is not None:
            self._record.check_token(
                token, reply.json["console"]["instance_uuid"]
            )

    def _repeat(
        self,
        operation: str,
        send: Callable[[], Reply],
        expected: set[int],
    ) -> Reply | None:
        """Repeat a request until it is answered with something but 503.

        :returns: the reply, None if it is not an expected one
        """
        while True:
            reply = self._send(operation, send)
            if reply is None or reply.status in expected:
                return reply
            if reply.status != 503 or not reply.headers["Retry-After"]:
                self.problems.append(
                    f"{operation}: {reply.status} {reply.body!r}"
                )
                return None
            if time.monotonic() > self._must_end_at:
                self.problems.append(f"{operation}: still refused")
                return None
            if operation == "delete":
                # The refused request may have deleted it.
                expected = {202, 404}
            time.sleep(_PAUSE)

    def _send(self, operation: str, send: Callable[[], Reply]) -> Reply | None:
        started_at = time.monotonic()
        status = 0
        try:
            reply = send()
            status = reply.status
        except (OSError, http.client.HTTPException, AssertionError) as error:
            # AssertionError is the client's for 500.
            self.problems.append(f"{operation}: {error!r}")
            return None
        finally:
            self._outcomes.append(
                Outcome(operation, started_at, time.monotonic(), status)
            )
        return reply


def _insert_servers(
    database: TestDatabase, project: str, compute_host: str
) -> list[str]:
    """Insert the servers of a thread; return their UUIDs."""
    server_ids = [str(uuid.uuid4()) for _ in range(_SERVERS_PER_THREAD)]
    server = {
        "project_id": project,
        "name": "web1",
        "instance_name": "instance-00000001",
        "compute_host": compute_host,
    }
    endpoint = {"protocol": "vnc", "host": "127.0.0.1", "port": 1}
    with database.engine.begin() as connection:
        for server_id in server_ids:
            connection.execute(
                tables.servers.insert(), {"uuid": server_id, **server}
            )
            connection.execute(
                tables.server_endpoints.insert(),
                {"server_id": server_id, **endpoint},
            )
    return server_ids
