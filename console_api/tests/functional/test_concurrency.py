# SPDX-License-Identifier: Apache-2.0
"""Requests that come at once, to two worker processes."""

import concurrent.futures
import threading
import uuid
from typing import ClassVar

import sqlalchemy as sa

from console_api.db import servers, tables
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
        path = f"/servers/{row.server_id}/consoles/{row.id}"
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

    def test_two_creates_store_one_console(self):
        host = self.make_console_host()
        for _ in range(5):
            server_id = self.make_server()
            replies = at_once([self.creating(server_id)] * 2)
            self.assert_statuses([200, 200], replies)
            self.assertEqual(1, len(self.console_rows(server_id)))
        self.assert_counted(host)

    def test_token_is_revoked_once(self):
        token = self.issue_token(self.make_server())
        path = f"/os-console-auth-tokens/{token}"
        replies = at_once([lambda: self.member.delete(path)] * 5)
        self.assert_statuses([204, *[404] * 4], replies)

    def test_tokens_are_revoked_while_others_are_issued(self):
        server_id = self.make_server()
        path = f"/servers/{server_id}/remote-consoles"
        body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        for _ in range(5):
            before = self.issue_token(server_id)
            replies = at_once(
                [
                    *[lambda: self.member.delete(path)] * 3,
                    *[lambda: self.member.post(path, body, version="2.6")] * 3,
                ]
            )
            self.assert_statuses([*[200] * 3, *[204] * 3], replies)
            found = self.admin.get(f"/os-console-auth-tokens/{before}")
            self.assert_fault(found, 404)

    def test_host_is_switched_while_consoles_are_created(self):
        host = self.make_console_host()
        path = f"/os-console-hosts/vnc+xvp/{host}"
        for enabled in (False, True) * 3:
            body = {"console_host": {"enabled": enabled}}
            *switched, created = at_once(
                [
                    *[lambda: self.admin.request("PUT", path, body=body)] * 2,  # noqa: B023
                    self.creating(self.make_server()),
                ]
            )
            self.assert_statuses([200, 200], switched)
            self.assertIn(created.status, (200, 503))
            self.assertEqual(enabled, self.console_host(host).enabled)
        self.assert_counted(host)

    def test_twenty_creates_store_one_console(self):
        hosts = [self.make_console_host() for _ in range(3)]
        server_id = self.make_server()
        replies = at_once([self.creating(server_id)] * 20)
        self.assert_statuses([200] * 20, replies)
        self.assertEqual(1, len(self.console_rows(server_id)))
        self.assert_counted(*hosts)

    def test_thirty_servers_share_thirty_ports(self):
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

    def test_more_servers_than_ports_are_refused(self):
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

    def test_counters_match_after_creates_and_deletes(self):
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

    def test_concurrent_deletes_succeed_once(self):
        host = self.make_console_host()
        for _ in range(5):
            server_id = self.make_server()
            self.creating(server_id)()
            [row] = self.console_rows(server_id)
            replies = at_once([self.deleting(row)] * 8)
            self.assert_statuses([202] + [404] * 7, replies)
            self.assertEqual(0, self.console_host(host).console_count)

    def test_create_races_with_delete(self):
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

    def test_concurrent_moves_succeed_once(self):
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

    def test_concurrent_tokens_differ(self):
        server_id = self.make_server()
        tokens = at_once([lambda: self.issue_token(server_id)] * 8)
        self.assertEqual(8, len(set(tokens)))
        self.assertEqual(8, self.count_tokens(server_id))
        stored = self.database.rows(
            sa.select(tables.console_auth_tokens.c.token_hash).where(
                tables.console_auth_tokens.c.server_id == server_id
            )
        )
        self.assertFalse(set(tokens) & {row.token_hash for row in stored})


@base.on_database_servers
class ChangedServerTests(base.FunctionalTestCase):
    """A server changes while something is made for it."""

    #: How a database server tells how many INSERTs wait for a lock.
    WAITING: ClassVar = {
        "mysql": "SELECT COUNT(*) FROM information_schema.processlist "
        "WHERE info LIKE 'INSERT INTO%' AND db = DATABASE()",
        "postgresql": "SELECT COUNT(*) FROM pg_stat_activity WHERE "
        "wait_event_type = 'Lock' AND datname = current_database()",
    }

    def setUp(self):
        super().setUp()
        self.make_console_host()
        self.server_id = self.make_server()

    def somebody_waits(self):
        waiting = sa.text(self.WAITING[self.backend])
        return self.database.rows(waiting)[0][0] > 0

    def during(self, path, *changes, body=None):
        """Make a request that has to wait until changes are made."""
        path = f"/servers/{self.server_id}/{path}"
        with (
            concurrent.futures.ThreadPoolExecutor(1) as pool,
            self.database.engine.begin() as connection,
        ):
            servers._lock(connection, self.server_id)
            reply = pool.submit(
                self.member.post, path, body=body, version="2.6"
            )
            self.eventually(self.somebody_waits)
            for change in changes:
                connection.execute(change)
        return reply.result()

    def create_token(self, *changes):
        remote = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        return self.during("remote-consoles", *changes, body=remote)

    def change(self, **values):
        table = tables.servers
        where = table.c.uuid == self.server_id
        return table.update().where(where).values(values)

    def remove_endpoints(self):
        table = tables.server_endpoints
        return table.delete().where(table.c.server_id == self.server_id)

    def test_token_has_new_endpoint(self):
        new = {
            "server_id": self.server_id,
            "protocol": "vnc",
            "host": "192.0.2.99",
            "port": 5999,
        }
        reply = self.create_token(
            self.remove_endpoints(),
            tables.server_endpoints.insert().values(new),
        )
        self.assertEqual(200, reply.status, reply.body)
        token = base.token_of(reply.json["remote_console"]["url"])
        info = self.admin.get(
            f"/os-console-auth-tokens/{token}", version="2.31"
        )
        self.assertEqual("192.0.2.99", info.json["console"]["host"])

    def test_deleted_server_gets_no_token(self):
        gone = self.create_token(self.change(project_id=uuid.uuid4().hex))
        self.assert_fault(gone, 404)
        self.database.execute(self.change(project_id=self.project))
        self.assert_fault(self.create_token(self.remove_endpoints()), 404)
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_console_has_new_instance_name(self):
        renamed = self.change(instance_name="renamed")
        self.assertEqual(200, self.during("consoles", renamed).status)
        [row] = self.console_rows(self.server_id)
        self.assertEqual("renamed", row.instance_name)
