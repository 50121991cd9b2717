# SPDX-License-Identifier: Apache-2.0
"""A database server is demoted, and another one takes over.

Connections to the demoted server stay open; a proxy forwards new ones to the
other server.
"""

import functools
import uuid

from console_api.tests.functional import base, database_servers
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.tcp_proxy import TCPProxy
from console_api.tests.functional.test_concurrency import at_once

SERVERS = {
    "mysql": database_servers.MariaDBServer,
    "postgresql": database_servers.PostgreSQLServer,
}

THREADS = 8


@base.on_database_servers
class DatabaseSwitchTests(base.FunctionalTestCase):
    def choose_server(self):
        self.old, self.new = (self.start_database() for _ in range(2))
        self.proxy = TCPProxy("127.0.0.1", self.old.port)
        self.addCleanup(self.proxy.cut)
        url = self.old.database.url.set(port=self.proxy.port)
        return self.start_server(
            {"database": {"max_pool_size": str(THREADS)}},
            database=TestDatabase(self.backend, url),
            threads=THREADS,
        )

    def start_database(self):
        server = SERVERS[self.backend]()
        self.addCleanup(server.stop)
        return server

    def prepare(self, number):
        """Insert servers and a console host, as if they were replicated."""
        server_ids = [str(uuid.uuid4()) for _ in range(number)]
        for server in (self.old, self.new):
            self.database = server.database
            for server_id in server_ids:
                self.make_server(uuid=server_id)
            self.make_console_host()
        return server_ids

    def switch(self):
        self.proxy.redirect("127.0.0.1", self.new.port)
        self.old.demote()

    def test_first_writes_after_a_switch_succeed(self):
        server_ids = self.prepare(THREADS)
        # All threads have a connection for reads and one for writes.
        at_once(
            functools.partial(self.issue_token, server_id)
            for server_id in server_ids
        )
        self.switch()
        replies = at_once(
            functools.partial(self.admin.post, f"/servers/{each}/consoles")
            for each in server_ids
        )
        self.assertEqual([200] * THREADS, [reply.status for reply in replies])
        for server_id in server_ids:
            self.assertEqual(1, len(self.console_rows(server_id)))

    def test_reads_reach_the_new_server(self):
        [server_id] = self.prepare(1)
        token = self.issue_token(server_id)
        path = f"/os-console-auth-tokens/{token}"
        get = functools.partial(self.admin.get, path, version="2.99")
        replies = at_once([get] * THREADS)
        self.assertEqual({200}, {reply.status for reply in replies})
        self.switch()
        # The token was never stored there.
        self.eventually(
            lambda: (
                {reply.status for reply in at_once([get] * THREADS)} == {404}
            )
        )
        # Once a new connection is used, no old one is.
        for _ in range(10):
            replies = at_once([get] * THREADS)
            self.assertEqual({404}, {reply.status for reply in replies})

    def test_health_check_fails_without_a_writable_server(self):
        [server_id] = self.prepare(1)
        health = functools.partial(
            self.client(None, prefix="").get, "/healthcheck"
        )
        self.assertEqual(200, health().status)
        self.old.demote()
        self.assertEqual(503, health().status)
        self.assertIn(b"The database accepts no writes.", health().body)
        path = f"/servers/{server_id}/consoles"
        self.assertEqual(200, self.admin.get(path).status)
        reply = self.admin.post(path)
        self.assert_fault(reply, 503)
        self.assertEqual("5", reply.headers["Retry-After"])
