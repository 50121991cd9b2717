# SPDX-License-Identifier: Apache-2.0
"""A database that is temporarily unavailable or drops connections."""

import contextlib
import functools

import sqlalchemy as sa

from console_api.tests.functional import base, configuration, databases
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.tcp_proxy import TCPProxy
from console_api.tests.functional.test_concurrency import at_once

AWAY = "The database is unavailable. Retry the request later."


@functools.cache
def database_of_these_tests(name):
    """Return a database that only these tests use."""
    return configuration.migrate(databases.create(name))


class DatabaseAwayTestCase(base.FunctionalTestCase):
    def choose_server(self):
        self.database = database_of_these_tests(self.backend)
        url = self.database.url
        port = url.port or {"mysql": 3306, "postgresql": 5432}[self.backend]
        self.proxy = TCPProxy(url.host, port)
        self.addCleanup(self.proxy.cut)
        proxied = url.set(host="127.0.0.1", port=self.proxy.port)
        return self.start_server(
            {"database": {"max_pool_size": "5"}},
            database=TestDatabase(self.backend, proxied),
            threads=16,
        )

    def operations(self):
        """Return each operation on a server, and its status when it works."""
        server_id = self.make_server()
        self.make_console_host()
        consoles = f"/servers/{server_id}/consoles"
        remote = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        send = functools.partial(self.admin.request, version="2.31")
        return [
            (functools.partial(send, *request), status)
            for request, status in (
                (("GET", consoles), 200),
                (("POST", consoles), 200),
                (("GET", f"{consoles}/999999"), 404),
                (("DELETE", f"{consoles}/999999"), 404),
                (("GET", "/os-console-auth-tokens/unknown"), 404),
            )
        ] + [
            (
                functools.partial(
                    send,
                    "POST",
                    f"/servers/{server_id}/remote-consoles",
                    body=remote,
                ),
                200,
            )
        ]

    def health(self):
        return self.client(None, prefix="").get("/healthcheck").status

    def assert_works(self, operations):
        for call, status in operations:
            with self.subTest(call.args):
                self.assertEqual(status, call().status)
        self.assertEqual(200, self.health())

    def assert_away(self, operations):
        for call, _ in operations:
            with self.subTest(call.args):
                reply = call()
                self.assert_fault(reply, 503, AWAY)
                self.assertEqual("5", reply.headers["Retry-After"])
                self.assert_version_headers(reply, "2.31")
        self.assertEqual(503, self.health())


@base.on_database_servers
class DatabaseAwayTests(DatabaseAwayTestCase):
    def test_service_recovers_with_the_database(self):
        operations = self.operations()
        self.assert_works(operations)
        for first in (operations, operations[::-1]):
            self.proxy.cut()
            self.assert_away(operations)
            self.proxy.restore()
            # The first request after its return, read or write, works.
            self.assert_works(first)
        # What needs no database never noticed.
        self.proxy.cut()
        self.assertEqual(200, self.client(None, prefix="").get("/").status)
        self.assert_fault(self.member.get("/nothing"), 404)

    def test_restart_between_requests_is_tolerated(self):
        operations = self.operations()
        self.assert_works(operations)
        for operation in operations:
            self.proxy.cut()
            self.proxy.restore()
            self.assert_works([operation])

    def test_refused_request_stores_nothing(self):
        server_id = self.make_server()
        self.make_console_host()
        self.proxy.cut()
        self.admin.post(f"/servers/{server_id}/consoles")
        self.proxy.restore()
        self.assertEqual([], self.console_rows(server_id))

    def test_outage_is_logged(self):
        self.proxy.cut()
        reply = self.admin.get("/os-console-auth-tokens/unknown")
        self.assertTrue(
            self.log_lines(reply, " ERROR ", "The database is unavailable")
        )


@base.on_database_servers
class DroppedConnectionTests(DatabaseAwayTestCase):
    """The database ends connections that wait in the pool."""

    def drop_connections(self):
        own, listed, end = {
            "mysql": (
                "SELECT connection_id()",
                "SELECT id FROM information_schema.processlist "
                "WHERE db = :database",
                "KILL {}",
            ),
            "postgresql": (
                "SELECT pg_backend_pid()",
                "SELECT pid FROM pg_stat_activity WHERE datname = :database",
                "SELECT pg_terminate_backend({})",
            ),
        }[self.backend]
        with self.database.engine.connect() as connection:
            kept = connection.execute(sa.text(own)).scalar_one()
            found = connection.execute(
                sa.text(listed), {"database": self.database.url.database}
            )
            ended = [row[0] for row in found if row[0] != kept]
            for number in ended:
                # One that the server has just closed is no longer known.
                with contextlib.suppress(sa.exc.OperationalError):
                    connection.execute(sa.text(end.format(number)))
        return len(ended)

    def test_next_request_succeeds(self):
        operations = self.operations()
        for operation in operations:
            at_once([call for call, _ in operations])
            self.assertGreater(self.drop_connections(), 1)
            self.assert_works([operation])

    def test_concurrent_next_requests_succeed(self):
        operations = self.operations()
        calls = [call for call, _ in operations] * 3
        expected = [status for _, status in operations] * 3
        for _ in range(3):
            at_once(calls)
            self.drop_connections()
            self.assertEqual(
                expected, [reply.status for reply in at_once(calls)]
            )


@base.on_database_servers
class ReadOnlyTests(base.FunctionalTestCase):
    """A database that answers, but takes no writes: a standby, for one."""

    def choose_server(self):
        url = self.database.url.update_query_dict(
            {
                "mysql": {"init_command": "SET SESSION TRANSACTION READ ONLY"},
                "postgresql": {
                    "options": "-c default_transaction_read_only=on"
                },
            }[self.backend]
        )
        return self.start_server(database=TestDatabase(self.backend, url))

    def test_read_only_database_serves_reads(self):
        server_id = self.make_server()
        self.make_console_host()
        path = f"/servers/{server_id}/consoles"
        self.assertEqual(200, self.admin.get(path).status)
        reply = self.admin.post(path)
        self.assert_fault(reply, 503, AWAY)
        self.assertEqual("5", reply.headers["Retry-After"])


@base.on_database_servers
class NoDatabaseAtStartTests(DatabaseAwayTestCase):
    def test_service_starts_without_database(self):
        self.server.stop()
        self.proxy.cut()
        url = self.database.url.set(host="127.0.0.1", port=self.proxy.port)
        self.server = self.start_server(
            database=TestDatabase(self.backend, url)
        )
        self.admin = self.client("admin")
        self.assert_away(self.operations())
        self.proxy.restore()
        self.assert_works(self.operations())


@base.on_database_servers
class PasswordTests(base.DatabaseTestCase):
    def test_database_password_is_not_logged(self):
        url = databases.admin_url(self.backend).set(
            username="nobody", password="pAssw0rd-of-it", port=1
        )
        server = self.start_server(
            {"DEFAULT": {"debug": "true"}},
            database=TestDatabase(self.backend, url),
        )
        client = server.client(user="admin", project="abc")
        reply = client.get("/os-console-auth-tokens/unknown")
        self.assertEqual(503, reply.status)
        self.assertFalse("pAssw0rd" in server.log)
