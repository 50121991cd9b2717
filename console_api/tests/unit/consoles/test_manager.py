# SPDX-License-Identifier: Apache-2.0
import re
import secrets
import time
from typing import Any, cast
from unittest import mock

from console_api import errors
from console_api.consoles import manager
from console_api.consoles.manager import ConsoleManager
from console_api.db import (
    console_host_deletion,
    console_hosts,
    consoles,
    heartbeats,
    servers,
    tables,
)
from console_api.db.console_hosts import ConsoleHostRow
from console_api.db.heartbeats import AgentReport
from console_api.directory.base import Server
from console_api.keys import repository
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id


class ManagerCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        repository.setup(self.folder / "keys")
        self.keys = repository.KeyRepository(self.folder / "keys")
        self.manager = ConsoleManager(
            self.database, self.keys, ["vnc", "vnc+xvp"], 60
        )
        self.server = self.add_server()
        self.addCleanup(self.assertCountsAreRight)

    def where(self, server: Server | None = None) -> list[tuple[str, str]]:
        """Return console host and type of each console of a server."""
        hosts = {row.id: row.host for row in self.rows(tables.console_hosts)}
        return [
            (hosts[row.console_host_id], row.console_type)
            for row in self.rows(tables.consoles)
            if row.server_id == (server or self.server).uuid
        ]

    def change_host(self, host: str = "console-1", **values: Any) -> None:
        changes = cast("console_hosts.ConsoleHostChanges", values)
        self.assertTrue(
            console_hosts.update(self.database, host, "vnc", changes)
        )

    def only_id(self) -> int:
        [row] = self.rows(tables.consoles)
        return int(row.id)


class PasswordTest(base.FolderCase):
    def test_password_has_eight_letters_and_digits(self) -> None:
        for _ in range(100):
            self.assertRegex(
                manager.generate_password(), r"\A[A-Za-z0-9]{8}\Z"
            )

    def test_passwords_differ(self) -> None:
        found = {manager.generate_password() for _ in range(1000)}
        self.assertEqual(1000, len(found))

    def test_password_uses_cryptographic_source(self) -> None:
        with mock.patch.object(secrets, "choice", return_value="x") as choice:
            self.assertEqual("x" * 8, manager.generate_password())
        alphabet = choice.call_args.args[0]
        self.assertEqual(62, len(set(alphabet)))


class HostDownTest(ManagerCase):
    def create_fails(self, reason: str) -> None:
        with self.assertRaisesRegex(errors.NoConsoleHost, reason):
            self.manager.create(self.server)
        self.assertEqual([], self.where())

    def test_host_that_is_down_gets_no_console(self) -> None:
        for seen in (None, 1, int(time.time()) - 3600):
            self.add_console_host(last_seen_at=seen)
            with self.subTest(seen=seen):
                self.create_fails("are down.*start their agents")
            console_host_deletion.delete(self.database, "console-1", "vnc")


class CreateTest(ManagerCase):
    def test_created_console_is_shown(self) -> None:
        self.add_console_host(min_port=5900, max_port=5900)
        self.manager.create(self.server)
        [summary] = self.manager.list(self.server, limit=9)
        self.assertEqual("vnc", summary.console_type)
        console = self.manager.show(self.server, summary.id)
        self.assertEqual(
            (summary.id, "vnc", "console-1.example.org", 5900),
            (console.id, console.console_type, console.host, console.port),
        )
        self.assertEqual(self.server.instance_name, console.instance_name)
        self.assertRegex(console.password, r"\A[A-Za-z0-9]{8}\Z")

    def test_password_is_stored_encrypted(self) -> None:
        self.add_console_host()
        self.manager.create(self.server)
        [row] = self.rows(tables.consoles)
        password = self.manager.show(self.server, row.id).password
        self.assertEqual(password, self.keys.decrypt(row.encrypted_password))
        for value in row:
            self.assertIsNone(re.search(password, str(value)))

    def test_second_create_changes_nothing(self) -> None:
        self.add_console_host()
        self.manager.create(self.server)
        before = self.rows(tables.consoles)
        self.add_console_host("console-2")
        self.manager.create(self.server)
        self.assertEqual(before, self.rows(tables.consoles))

    def test_first_offered_type_is_created(self) -> None:
        self.add_console_host("xvp", console_type="vnc+xvp")
        self.add_console_host("vnc", compute_hosts=["elsewhere"])
        self.add_console_host("off", enabled=False)
        self.manager.create(self.server)
        self.assertEqual([("xvp", "vnc+xvp")], self.where())

    def test_preferred_type_is_added_when_offered(self) -> None:
        self.add_console_host("xvp", console_type="vnc+xvp")
        self.manager.create(self.server)
        self.add_console_host("vnc")
        self.manager.create(self.server)
        self.assertEqual([("xvp", "vnc+xvp"), ("vnc", "vnc")], self.where())

    def test_consoles_are_spread_over_hosts(self) -> None:
        for host in ("console-1", "console-2", "console-3"):
            self.add_console_host(host)
        for number in range(2, 8):
            self.manager.create(self.add_server(server_id(number)))
        self.assertEqual(
            [2, 2, 2],
            [row.console_count for row in self.rows(tables.console_hosts)],
        )

    def test_full_host_is_skipped(self) -> None:
        self.add_console_host("small", min_port=1, max_port=1)
        self.add_console_host("large")
        for number in range(2, 5):
            self.manager.create(self.add_server(server_id(number)))
        self.assertEqual(
            [1, 2],
            [row.console_count for row in self.rows(tables.console_hosts)],
        )

    def test_server_deleted_concurrently_is_not_found(self) -> None:
        self.add_console_host()
        servers.delete(self.database, self.server.uuid)
        with self.assertRaises(errors.ServerNotFound):
            self.manager.create(self.server)


class LifetimeTest(ManagerCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_console_host()
        self.manager = ConsoleManager(
            self.database, self.keys, ["vnc"], 60, lifetime=3600
        )
        self.manager.create(self.server)
        self.console_id = self.only_id()
        self.password = self.manager.show(
            self.server, self.console_id
        ).password

    def test_console_expires_after_lifetime(self) -> None:
        [row] = self.rows(tables.consoles)
        self.assertEqual(3600, row.expires_at - row.created_at)

    def test_consoles_do_not_expire_by_default(self) -> None:
        server = self.add_server(server_id(2))
        ConsoleManager(self.database, self.keys, ["vnc"], 60).create(server)
        _, row = self.rows(tables.consoles)
        self.assertIsNone(row.expires_at)

    def test_create_before_expiry_keeps_console(self) -> None:
        self.manager.create(self.server)
        self.assertEqual(self.console_id, self.only_id())

    def test_expired_console_is_not_found(self) -> None:
        self.expire_console(self.console_id)
        self.assertEqual([], self.manager.list(self.server, limit=10))
        with self.assertRaises(errors.ConsoleNotFound):
            self.manager.show(self.server, self.console_id)

    def test_expired_console_is_replaced_with_new_password(self) -> None:
        self.expire_console(self.console_id)
        self.manager.create(self.server)
        new_id = self.only_id()
        self.assertGreater(new_id, self.console_id)
        self.assertNotEqual(
            self.password, self.manager.show(self.server, new_id).password
        )

    def test_clean_up_deletes_batch_of_expired_consoles_only(self) -> None:
        for number in (2, 3):
            self.manager.create(self.add_server(server_id(number)))
        ids = [row.id for row in self.rows(tables.consoles)]
        for console_id in ids[:2]:
            self.expire_console(console_id)
        self.assertEqual(1, manager.delete_expired(self.database, 1))
        self.assertEqual(1, manager.delete_expired(self.database, 9))
        self.assertEqual(ids[2], self.only_id())


class MoveTest(ManagerCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_console_host()
        self.manager.create(self.server)
        self.console = self.manager.show(self.server, self.only_id())

    def test_misplaced_console_is_moved(self) -> None:
        self.change_host(compute_hosts=["elsewhere"])
        self.add_console_host("console-2")
        self.manager.create(self.server)
        self.assertEqual([("console-2", "vnc")], self.where())
        moved = self.manager.show(self.server, self.console.id)
        self.assertEqual("console-2.example.org", moved.host)
        self.assertEqual(self.console.password, moved.password)

    def test_moved_console_gets_offered_type(self) -> None:
        self.change_host(compute_hosts=["elsewhere"])
        self.add_console_host("xvp", console_type="vnc+xvp")
        self.manager.create(self.server)
        self.assertEqual([("xvp", "vnc+xvp")], self.where())

    def test_console_on_disabled_host_is_kept(self) -> None:
        self.change_host(enabled=False)
        self.add_console_host("console-2")
        self.manager.create(self.server)
        self.assertEqual([("console-1", "vnc")], self.where())

    def report_trouble(self) -> None:
        heartbeats.record(
            self.database,
            self.console_host().id,
            AgentReport("1.0.0", "vnc", trouble="The driver failed."),
        )

    def test_console_of_failing_host_is_moved(self) -> None:
        self.report_trouble()
        self.manager.create(self.server)
        self.assertEqual([("console-1", "vnc")], self.where())
        self.add_console_host("console-2")
        self.manager.create(self.server)
        self.assertEqual([("console-2", "vnc")], self.where())

    def test_console_of_failing_host_stays_if_others_are_full(self) -> None:
        self.report_trouble()
        self.add_console_host("console-2", min_port=1, max_port=1)
        self.manager.create(self.add_server(server_id(2)))
        self.manager.create(self.server)
        self.assertEqual([("console-1", "vnc")], self.where())

    def test_failing_host_is_used_if_others_are_full(self) -> None:
        self.report_trouble()
        self.add_console_host("console-2", min_port=1, max_port=1)
        added = [self.add_server(server_id(number)) for number in (2, 3)]
        for server in added:
            self.manager.create(server)
        self.assertEqual(
            [[("console-2", "vnc")], [("console-1", "vnc")]],
            [self.where(server) for server in added],
        )

    def test_console_without_candidate_is_kept(self) -> None:
        self.change_host(compute_hosts=["elsewhere"])
        with self.assertRaises(errors.NoConsoleHost):
            self.manager.create(self.server)
        self.assertEqual([("console-1", "vnc")], self.where())


class LostRaceTest(ManagerCase):
    """What other requests do between the look and the leap."""

    def interfering(self, act: Any) -> Any:
        """Let another request act once the console hosts are read."""
        read = console_hosts.list_all

        def read_then_act(database: Any) -> list[ConsoleHostRow]:
            rows = list(read(database))
            act()
            return rows

        return mock.patch.object(console_hosts, "list_all", read_then_act)

    def test_concurrent_requests_create_one_console(self) -> None:
        self.add_console_host()
        self.add_console_host("console-2")
        other = ConsoleManager(self.database, self.keys, ["vnc"], 60)
        placed: list[bool] = []

        def act() -> None:
            if not placed:
                placed.append(True)
                other.create(self.server)

        with self.interfering(act):
            self.manager.create(self.server)
        self.assertEqual(1, len(self.where()))

    def test_host_disabled_concurrently_is_skipped(self) -> None:
        self.add_console_host()
        self.add_console_host("console-2")
        with self.interfering(lambda: self.change_host(enabled=False)):
            self.manager.create(self.server)
        self.assertEqual([("console-2", "vnc")], self.where())

    def test_attempts_are_limited(self) -> None:
        self.add_console_host()
        with (
            mock.patch.object(
                consoles, "insert", return_value=consoles.Placed.OVERTAKEN
            ) as insert,
            self.assertRaisesRegex(errors.NoConsoleHost, "Retry the request"),
        ):
            self.manager.create(self.server)
        self.assertEqual(manager._MAX_ATTEMPTS, insert.call_count)


class ShowDeleteTest(ManagerCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_console_host()
        self.manager.create(self.server)
        self.console_id = self.only_id()
        self.other = self.add_server(server_id(2))

    def test_deleted_console_is_not_found(self) -> None:
        self.manager.delete(self.server, self.console_id)
        self.assertEqual([], self.manager.list(self.server, limit=9))
        for operation in (self.manager.show, self.manager.delete):
            with self.assertRaises(errors.ConsoleNotFound):
                operation(self.server, self.console_id)

    def test_console_of_other_server_is_not_found(self) -> None:
        for operation in (self.manager.show, self.manager.delete):
            with (
                self.subTest(operation.__name__),
                self.assertRaisesRegex(
                    errors.ConsoleNotFound, str(self.console_id)
                ),
            ):
                operation(self.other, self.console_id)
        self.assertEqual(1, len(self.where()))

    def test_new_console_has_new_password(self) -> None:
        before = self.manager.show(self.server, self.console_id).password
        self.manager.delete(self.server, self.console_id)
        self.manager.create(self.server)
        after = self.manager.show(self.server, self.only_id()).password
        self.assertNotEqual(before, after)

    def test_list_starts_after_marker(self) -> None:
        self.add_console_host(console_type="vnc+xvp")
        ConsoleManager(self.database, self.keys, ["vnc+xvp"], 60).create(
            self.server
        )
        first, second = self.manager.list(self.server, limit=9)
        self.assertEqual(
            ["vnc", "vnc+xvp"], [first.console_type, second.console_type]
        )
        self.assertEqual([first], self.manager.list(self.server, limit=1))
        self.assertEqual(
            [second],
            self.manager.list(self.server, marker=first.id, limit=9),
        )
        self.assertEqual([], self.manager.list(self.other, limit=9))
