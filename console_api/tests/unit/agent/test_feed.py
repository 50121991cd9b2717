# SPDX-License-Identifier: Apache-2.0
import time
from collections.abc import Callable, Iterable
from unittest import mock

from console_api.agent.feed import ConsoleFeed
from console_api.consoles.manager import ConsoleManager
from console_api.db import (
    console_host_deletion,
    console_hosts,
    servers,
    tables,
)
from console_api.keys import repository
from console_api.keys.repository import KeyRepository
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id


class FeedCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        repository.setup(self.folder / "keys")
        self.keys = KeyRepository(self.folder / "keys")
        self.manager = ConsoleManager(
            self.database, self.keys, ["vnc"], 10**10
        )
        self.feed = self.new_feed()

    def new_feed(self) -> ConsoleFeed:
        feed = ConsoleFeed(self.database, self.keys, base.console_host())
        feed.report(base.REPORT)
        return feed

    def create(self, number: int) -> None:
        self.manager.create(self.add_server(server_id(number)))

    def delete(self, number: int) -> None:
        servers.delete(self.database, server_id(number))

    def assertServers(self, numbers: Iterable[int]) -> None:
        self.assertEqual(
            {server_id(number) for number in numbers},
            {one.server_id for one in self.feed.consoles.values()},
        )


class ReportTest(FeedCase):
    def test_first_report_registers_host(self) -> None:
        row = self.console_host()
        self.assertEqual((row.read_at, True), (row.last_seen_at, row.enabled))

    def test_later_report_is_a_heartbeat(self) -> None:
        self.set_last_seen_at(self.console_host().id, 1000)
        self.feed.report(base.REPORT)
        row = self.console_host()
        self.assertEqual(row.read_at, row.last_seen_at)

    def test_clock_of_this_host_does_not_matter(self) -> None:
        before = int(time.time())
        with mock.patch.object(time, "time", return_value=0.0):
            self.feed.report(base.REPORT)
            row = self.console_host()
        assert row.last_seen_at is not None
        self.assertLessEqual(before, row.last_seen_at)
        self.assertLessEqual(row.last_seen_at, row.read_at)

    def test_problems_are_stored_until_solved(self) -> None:
        for number in (1, 2):
            self.create(number)
        one, two = [row.id for row in self.rows(tables.consoles)]

        def problems() -> list[str | None]:
            return [row.problem for row in self.rows(tables.consoles)]

        self.feed.report_problems({one: "a", two: "b"})
        self.assertEqual(["a", "b"], problems())
        self.feed.report_problems({two: "c"})
        self.assertEqual([None, "c"], problems())
        # Another agent, which does not know what the previous one reported.
        self.feed = self.new_feed()
        self.feed.report_problems({one: "d"})
        self.assertEqual(["d", None], problems())

    def test_deleted_host_is_registered_again(self) -> None:
        self.create(1)
        self.feed.read_all()
        console_host_deletion.delete_with_consoles(
            self.database, "console-1", "vnc"
        )
        self.feed.read_changes()
        self.assertFalse(self.feed.is_registered)
        self.assertServers([])
        self.feed.report(base.REPORT)
        self.assertIsNotNone(self.console_host().last_seen_at)
        self.create(2)
        self.feed.read_changes()
        self.assertServers([2])


class ReadTest(FeedCase):
    def test_read_all_returns_complete_consoles(self) -> None:
        self.create(1)
        self.feed.read_all()
        [console] = self.feed.consoles.values()
        [row] = self.rows(tables.consoles)
        self.assertEqual(
            (row.id, row.server_id, row.instance_name, "compute-1"),
            (
                console.id,
                console.server_id,
                console.instance_name,
                console.compute_host,
            ),
        )
        self.assertIn(console.port, range(5900, 5910))
        self.assertRegex(console.password, r"\A[A-Za-z0-9]{8}\Z")
        self.assertNotIn(console.password, repr(console))

    def test_read_changes_follows_each_change(self) -> None:
        self.feed.read_all()
        step: Callable[[], object]
        for step, expected in (
            (lambda: self.create(1), [1]),
            (lambda: self.create(2), [1, 2]),
            (lambda: self.delete(1), [2]),
            (lambda: None, [2]),
        ):
            step()
            self.feed.read_changes()
            self.assertServers(expected)

    def test_console_expires_without_database(self) -> None:
        self.create(1)
        self.manager = ConsoleManager(
            self.database, self.keys, ["vnc"], 10**10, lifetime=60
        )
        self.create(2)
        now = 1000.0
        self.feed = ConsoleFeed(
            self.database, self.keys, base.console_host(), lambda: now
        )
        self.feed.report(base.REPORT)
        self.feed.read_all()
        now += 58
        self.feed.drop_expired()
        self.assertServers([1, 2])
        now += 2
        self.feed.drop_expired()
        self.assertServers([1])

    def test_read_without_changes_keeps_consoles(self) -> None:
        self.create(1)
        self.feed.read_all()
        before = self.feed.consoles
        self.feed.read_changes()
        self.assertIs(before, self.feed.consoles)

    def test_console_created_and_deleted_between_reads_is_absent(self) -> None:
        self.feed.read_all()
        self.create(1)
        self.delete(1)
        self.feed.read_changes()
        self.assertServers([])

    def test_migrated_server_changes_compute_host(self) -> None:
        self.create(1)
        self.feed.read_all()
        servers.update(
            self.database, server_id(1), {"compute_host": "other"}, {}
        )
        self.feed.read_changes()
        [console] = self.feed.consoles.values()
        self.assertEqual("other", console.compute_host)

    def test_pruned_changes_cause_full_read(self) -> None:
        self.feed.read_all()
        self.create(1)
        self.create(2)
        self.new_feed().read_all()  # It prunes the changes.
        self.assertEqual([], self.rows(tables.console_changes))
        self.create(3)
        self.feed.read_changes()
        self.assertServers([1, 2, 3])

    def test_more_changes_than_limit_cause_full_read(self) -> None:
        self.feed.read_all()
        self.create(1)
        for number in range(1001):
            servers.update(
                self.database,
                server_id(1),
                {"instance_name": f"instance-{number}"},
                {},
            )
        self.feed.read_changes()
        [console] = self.feed.consoles.values()
        self.assertEqual("instance-1000", console.instance_name)

    def test_console_of_another_host_is_absent(self) -> None:
        self.feed.read_all()
        console_hosts.update(
            self.database, "console-1", "vnc", {"enabled": False}
        )
        self.add_console_host("console-2")
        self.create(1)
        self.feed.read_changes()
        self.feed.read_all()
        self.assertServers([])


class UnreadableTest(FeedCase):
    def corrupt_password(self) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                tables.consoles.update().where(
                    tables.consoles.c.server_id == server_id(1)
                ),
                {"encrypted_password": "corrupt"},
            )

    def test_unreadable_password_excludes_console(self) -> None:
        self.create(1)
        self.create(2)
        self.corrupt_password()
        self.feed.read_all()
        self.assertServers([2])
        [reason] = self.feed.unreadable.values()
        self.assertIn("key", reason)
        self.create(3)
        self.feed.read_changes()
        self.assertServers([2, 3])
        self.assertEqual(1, len(self.feed.unreadable))
        self.delete(1)
        self.feed.read_changes()
        self.assertEqual({}, self.feed.unreadable)
