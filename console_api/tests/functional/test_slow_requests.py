# SPDX-License-Identifier: Apache-2.0
"""Slow requests, and other requests that are served at the same time."""

import concurrent.futures
import contextlib
import functools
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from console_api.db import tables
from console_api.tests.functional import base, identity
from console_api.tests.functional.client import Reply
from console_api.tests.functional.identity import IdentityService
from console_api.tests.functional.servers import Server
from console_api.tests.unit.directory.nova import fake_nova
from console_api.tests.unit.directory.nova.fake_nova import FakeNova

OVERLOADED = "The service is busy. Retry the request in a few seconds."
NO_KEYSTONE = (
    "The identity service is unavailable. Retry the request in a few seconds."
)

NOVNC = {"remote_console": {"protocol": "vnc", "type": "novnc"}}

# Threads of the server, and how many of them may wait.
THREADS = 8
SLOTS = 4


class SlowRequestsTestCase(base.FunctionalTestCase):
    def start_requests(
        self, calls: list[Callable[[], Reply]]
    ) -> list["Future[Reply]"]:
        """Start requests, each in a thread of its own."""
        pool = concurrent.futures.ThreadPoolExecutor(len(calls))
        self.addCleanup(pool.shutdown)
        return [pool.submit(call) for call in calls]

    def wait_for_refusals(
        self,
        futures: list["Future[Reply]"],
        pending: int,
        message: str = OVERLOADED,
    ) -> None:
        """Wait until all requests but some have been refused."""
        self.eventually(
            lambda: (
                sum(future.done() for future in futures)
                >= len(futures) - pending
            )
        )
        for future in futures:
            if future.done():
                self.assert_fault(future.result(), 503, message)
                self.assertEqual("5", future.result().headers["Retry-After"])
        self.assert_pending(futures, pending)

    def assert_pending(
        self, futures: list["Future[Reply]"], pending: int
    ) -> None:
        self.assertEqual(pending, sum(not future.done() for future in futures))

    @contextlib.contextmanager
    def lock(self, host: str) -> Iterator[None]:
        """Lock the row of a console host."""
        hosts = tables.console_hosts
        with self.database.engine.begin() as connection:
            connection.execute(
                hosts.update().where(hosts.c.host == host).values(host=host)
            )
            yield

    def look_up(self, token: str) -> None:
        """Look up a token more often than the server has threads."""
        for _ in range(2 * THREADS):
            reply = self.admin.get(
                f"/os-console-auth-tokens/{token}", version="2.31"
            )
            self.assertEqual(200, reply.status, reply.body)


@base.on_database_servers
class LockedRowTest(SlowRequestsTestCase):
    def choose_server(self) -> Server:
        return self.start_server(
            {"api": {"max_slow_requests": str(SLOTS)}}, threads=THREADS
        )

    def creating(self) -> Callable[[], Reply]:
        path = f"/servers/{self.make_server()}/consoles"
        return lambda: self.member.post(path)

    def test_reads_are_served_while_writes_wait(self) -> None:
        host = self.make_console_host(max_port=20099)
        path = f"/servers/{self.make_server()}/consoles"
        token = self.issue_token(self.make_server())
        calls = [self.creating() for _ in range(18)]
        with self.lock(host):
            futures = self.start_requests(calls)
            self.wait_for_refusals(futures, SLOTS)
            self.look_up(token)
            self.assertEqual(200, self.member.get(path).status)
            health = self.client(None, prefix="").get("/healthcheck")
            self.assertEqual(200, health.status)
            self.assert_pending(futures, SLOTS)
        for future in futures:
            self.assertIn(future.result().status, (200, 503))
        self.assertEqual(200, self.member.post(path).status)
        for text in (
            f"{SLOTS} are waiting for the database",
            "database or the directory are accepted again",
        ):
            self.assertEqual(1, self.server.log.count(text), text)

    def test_burst_of_writes_is_served(self) -> None:
        self.make_console_host(max_port=20099)
        futures = self.start_requests([self.creating() for _ in range(18)])
        for future in futures:
            self.assertEqual(200, future.result().status)


class NovaTestCase(SlowRequestsTestCase):
    cache_seconds = 600

    def choose_server(self) -> Server:
        self.nova = FakeNova()
        self.addCleanup(self.nova.stop)
        self.nova.endpoints["vnc"] = {"host": "192.0.2.10", "port": 5900}
        self.proceed = threading.Event()
        self.addCleanup(self.proceed.set)
        return self.start_server(
            {
                "api": {"max_slow_requests": str(SLOTS)},
                "directory": {
                    "driver": "nova",
                    "cache_seconds": str(self.cache_seconds),
                },
                "nova": {**self.nova.options, "timeout": "60"},
                "remote_consoles": {"novnc_base_url": "http://proxy/vnc"},
            },
            threads=THREADS,
        )

    def add_server(self, compute_host: str) -> str:
        server_id = str(uuid.uuid4())
        self.nova.add_server(
            server_id,
            **{
                "tenant_id": self.project,
                "OS-EXT-SRV-ATTR:host": compute_host,
            },
        )
        return server_id

    def create_remote_console(self, server_id: str) -> Reply:
        return self.member.post(
            f"/servers/{server_id}/remote-consoles", NOVNC, version="2.6"
        )

    def hang(self, handler: Any) -> None:
        self.proceed.wait()
        fake_nova.disconnect(handler)

    def end(self, futures: list["Future[Reply]"]) -> None:
        """Let Nova respond again."""
        self.nova.responses.clear()
        self.proceed.set()
        for future in futures:
            self.assertIn(future.result().status, (200, 503))


@base.on_database_servers
class HungNovaTest(NovaTestCase):
    """Nova does not respond, or one of its compute hosts does not."""

    def test_hung_compute_host_delays_only_its_servers(self) -> None:
        hung, other = self.add_server("hung"), self.add_server("other")
        token = self.issue_token(other)
        self.nova.responses["POST", f"/v2.1/servers/{hung}/"] = self.hang
        futures = self.start_requests(
            [lambda: self.create_remote_console(hung)] * 12
        )
        self.wait_for_refusals(futures, SLOTS // 2)
        for _ in range(3):
            self.assertEqual(200, self.create_remote_console(other).status)
        self.look_up(token)
        self.assert_pending(futures, SLOTS // 2)
        self.end(futures)
        self.assertEqual(200, self.create_remote_console(hung).status)

    def test_known_servers_are_served_while_nova_hangs(self) -> None:
        known, new = self.add_server("compute-1"), self.add_server("compute-1")
        token = self.issue_token(known)
        self.nova.responses["GET", "/v2.1/servers/"] = self.hang
        futures = self.start_requests(
            [lambda: self.member.get(f"/servers/{new}/consoles")] * 12
        )
        self.wait_for_refusals(futures, SLOTS)
        self.look_up(token)
        reply = self.member.get(f"/servers/{known}/consoles")
        self.assertEqual(200, reply.status, reply.body)
        self.assert_pending(futures, SLOTS)
        self.end(futures)


@base.on_database_servers
class ConfirmedTokensTest(NovaTestCase):
    """Each look-up asks Nova whether the server has moved."""

    cache_seconds = 0

    def test_look_ups_have_slots_of_their_own(self) -> None:
        token = self.issue_token(self.add_server("compute-1"))
        host = self.make_console_host(max_port=20099)
        calls = [
            functools.partial(
                self.member.post,
                f"/servers/{self.add_server(self.compute_host)}/consoles",
            )
            for _ in range(12)
        ]
        with self.lock(host):
            futures = self.start_requests(calls)
            self.wait_for_refusals(futures, SLOTS)
            self.look_up(token)
            self.assert_pending(futures, SLOTS)
        self.end(futures)


class HungKeystoneTest(SlowRequestsTestCase):
    backend = "sqlite"

    def choose_server(self) -> Server:
        self.identity = IdentityService()
        self.addCleanup(self.identity.stop)
        options = identity.options(self.identity.url)
        options["api"]["max_slow_requests"] = str(SLOTS)
        return self.start_server(options, threads=THREADS)

    def test_cached_tokens_are_served_while_keystone_hangs(self) -> None:
        path = f"/servers/{self.make_server()}/consoles"

        def get(token: str) -> Reply:
            headers = {"X-Auth-Token": token}
            return self.client(None).get(path, headers=headers)

        cached, *tokens = (
            self.identity.issue("user", self.project, "member")
            for _ in range(13)
        )
        self.assertEqual(200, get(cached).status)
        self.identity.answers.clear()
        futures = self.start_requests(
            [functools.partial(get, token) for token in tokens]
        )
        self.wait_for_refusals(futures, SLOTS, NO_KEYSTONE)
        for _ in range(2 * THREADS):
            self.assertEqual(200, get(cached).status)
        self.assert_pending(futures, SLOTS)
        self.identity.answers.set()
        for future in futures:
            self.assertIn(future.result().status, (200, 503))


del SlowRequestsTestCase, NovaTestCase
