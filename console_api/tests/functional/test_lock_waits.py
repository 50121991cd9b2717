# SPDX-License-Identifier: Apache-2.0
"""Writes that wait for a lock of another session of the database."""

import concurrent.futures
import contextlib

from console_api.db import tables
from console_api.tests.functional import base

BUSY = (
    "The request waited too long for another change. Retry the request later."
)


@base.on_each_database
class LockWaitTests(base.FunctionalTestCase):
    @contextlib.contextmanager
    def locked_host(self):
        """Lock the row of the console host, and with SQLite all tables."""
        hosts = tables.console_hosts
        with self.database.engine.begin() as connection:
            connection.execute(hosts.update().values(host=hosts.c.host))
            yield

    def test_write_gives_up_while_reads_are_answered(self):
        self.make_console_host()
        server_id, console_id = self.make_console()
        token = self.issue_token(server_id)
        other = f"/servers/{self.make_server()}/consoles"
        writes = [
            ("POST", other),
            ("DELETE", f"/servers/{server_id}/consoles/{console_id}"),
        ]
        with (
            concurrent.futures.ThreadPoolExecutor(len(writes)) as pool,
            self.locked_host(),
        ):
            futures = [
                pool.submit(self.admin.request, *request) for request in writes
            ]
            for path, status in (
                (f"/os-console-auth-tokens/{token}", 200),
                ("/os-console-auth-tokens/unknown", 404),
                (other, 200),
            ):
                reply = self.admin.request("GET", path, version="2.31")
                self.assertEqual(status, reply.status, reply.body)
            self.assertFalse([future for future in futures if future.done()])
            for future in futures:
                reply = future.result()
                self.assert_fault(reply, 503, BUSY)
                self.assertEqual("5", reply.headers["Retry-After"])
                self.assertTrue(
                    self.log_lines(
                        reply, " WARNING ", "holds a lock for too long"
                    )
                )
        self.assertEqual([], self.console_rows(other.split("/")[2]))
        for method, path in writes:
            self.assertLess(self.admin.request(method, path).status, 300)
