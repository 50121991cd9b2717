# SPDX-License-Identifier: Apache-2.0
"""Requests that come at once, to two worker processes."""

import concurrent.futures
import threading

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import base


def at_once(calls):
    """Make calls, each in a thread of its own, and return their results.

    None starts before all of the threads are there.
    """
    calls = list(calls)
    barrier = threading.Barrier(len(calls), timeout=60)

    def run(call):
        barrier.wait()
        return call()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@base.on_each_database
class ConcurrencyTests(base.FunctionalTestCase):
    workers = 2
    options = {"database": {"max_pool_size": "4"}}

    def creating(self, server_id):
        return lambda: self.member.post(f"/servers/{server_id}/consoles")

    def deleting(self, row):
        path = f"/servers/{row.server_uuid}/consoles/{row.id}"
        return lambda: self.member.delete(path)

    def assert_statuses(self, expected, replies):
        self.assertEqual(
            sorted(expected),
            sorted(reply.status for reply in replies),
            [reply.body for reply in replies if reply.body],
        )

    def assert_counted(self, *hosts):
        """Assert that console hosts count just the consoles they have."""
        consoles = tables.consoles
        for host in hosts:
            row = self.console_host(host)
            self.assertEqual(
                self.database.count(
                    consoles, consoles.c.console_host_id == row.id
                ),
                row.console_count,
            )

    def test_two_creates_for_a_server_make_one_console(self):
        host = self.make_console_host()
        for _ in range(5):
            server_id = self.make_server()
            replies = at_once([self.creating(server_id)] * 2)
            self.assert_statuses([200, 200], replies)
            self.assertEqual(1, len(self.console_rows(server_id)))
        self.assert_counted(host)

    def test_twenty_creates_for_a_server_make_one_console(self):
        hosts = [self.make_console_host() for _ in range(3)]
        server_id = self.make_server()
        replies = at_once([self.creating(server_id)] * 20)
        self.assert_statuses([200] * 20, replies)
        self.assertEqual(1, len(self.console_rows(server_id)))
        self.assert_counted(*hosts)

    def test_thirty_servers_and_just_as_many_ports(self):
        host = self.make_console_host(min_port=30000, max_port=30029)
        server_ids = [self.make_server() for _ in range(30)]
        replies = at_once(map(self.creating, server_ids))
        self.assert_statuses([200] * 30, replies)
        ports = {
            row.port
            for server_id in server_ids
            for row in self.console_rows(server_id)
        }
        self.assertEqual(set(range(30000, 30030)), ports)
        self.assert_counted(host)

    def test_more_servers_than_ports(self):
        hosts = [
            self.make_console_host(min_port=30000, max_port=30003)
            for _ in range(2)
        ]
        server_ids = [self.make_server() for _ in range(12)]
        replies = at_once(map(self.creating, server_ids))
        self.assert_statuses([200] * 8 + [503] * 4, replies)
        for server_id, reply in zip(server_ids, replies, strict=True):
            stored = len(self.console_rows(server_id))
            self.assertEqual(reply.status == 200, bool(stored))
        self.assert_counted(*hosts)

    def test_creates_and_deletes_are_counted(self):
        host = self.make_console_host(min_port=30000, max_port=30099)
        there = [self.make_server() for _ in range(10)]
        for server_id in there:
            self.creating(server_id)()
        rows = [self.console_rows(server_id)[0] for server_id in there]
        new = [self.make_server() for _ in range(10)]
        replies = at_once(
            [*map(self.creating, new), *map(self.deleting, rows)]
        )
        self.assert_statuses([200] * 10 + [202] * 10, replies)
        self.assertEqual(10, self.console_host(host).console_count)
        self.assert_counted(host)

    def test_a_console_is_deleted_once(self):
        host = self.make_console_host()
        for _ in range(5):
            server_id = self.make_server()
            self.creating(server_id)()
            [row] = self.console_rows(server_id)
            replies = at_once([self.deleting(row)] * 8)
            self.assert_statuses([202] + [404] * 7, replies)
            self.assertEqual(0, self.console_host(host).console_count)

    def test_create_and_delete_of_the_same_console(self):
        host = self.make_console_host()
        for _ in range(5):
            server_id = self.make_server()
            self.creating(server_id)()
            [row] = self.console_rows(server_id)
            *_, deleted = at_once(
                [*[self.creating(server_id)] * 3, self.deleting(row)]
            )
            self.assertEqual(202, deleted.status)
            self.assertLessEqual(len(self.console_rows(server_id)), 1)
        self.assert_counted(host)

    def test_a_console_is_moved_once(self):
        old = self.make_console_host()
        server_ids = [self.make_server() for _ in range(4)]
        for server_id in server_ids:
            self.creating(server_id)()
        self.change_console_host(old, compute_hosts="elsewhere")
        new = [self.make_console_host() for _ in range(2)]
        replies = at_once(map(self.creating, server_ids * 4))
        self.assert_statuses([200] * 16, replies)
        for server_id in server_ids:
            [row] = self.console_rows(server_id)
            self.assertIn(row.host, new)
        self.assertEqual(0, self.console_host(old).console_count)
        self.assert_counted(old, *new)

    def test_two_tokens_at_once_are_two(self):
        server_id = self.make_server()
        tokens = at_once([lambda: self.issue_token(server_id)] * 8)
        self.assertEqual(8, len(set(tokens)))
        self.assertEqual(8, self.count_tokens(server_id))
        stored = self.database.rows(
            sa.select(tables.console_auth_tokens.c.token_hash).where(
                tables.console_auth_tokens.c.server_uuid == server_id
            )
        )
        self.assertFalse(set(tokens) & {row.token_hash for row in stored})
