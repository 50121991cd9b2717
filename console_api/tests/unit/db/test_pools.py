# SPDX-License-Identifier: Apache-2.0
import functools
import time
from typing import Any
from unittest import mock

import sqlalchemy as sa
from oslo_db import exception as db_exc

from console_api.db import failures, pools
from console_api.tests.unit import base

REFUSED = Exception(1290, "--read-only")
DEAD = Exception(2013, "Lost connection")


class PoolsCase(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        (self.folder / "console_api.sqlite").touch()
        self.now = 1000.0
        clock = mock.patch.object(
            time, "monotonic", side_effect=lambda: self.now
        )
        self.enterContext(clock)
        self.guard = pools.PoolGuard()
        conf = base.load_conf(self.folder)
        self.reader = pools.create_reader(conf, self.guard)
        self.writer = pools.create_writer(conf, self.guard)
        self.addCleanup(self.reader.dispose)
        self.addCleanup(self.writer.dispose)

    def connection(self, engine: sa.Engine) -> Any:
        """Return the driver's connection that an engine uses now."""
        with engine.connect() as connection:
            return connection.connection.dbapi_connection


class PoolGuardTest(PoolsCase):
    def test_connections_are_reused(self) -> None:
        for engine in (self.reader, self.writer):
            first = self.connection(engine)
            self.now += 1000
            self.assertIs(first, self.connection(engine))

    def test_connections_of_both_pools_are_discarded(self) -> None:
        before = [self.connection(self.reader), self.connection(self.writer)]
        self.now += 1
        self.guard.discard(DEAD)
        self.now += 1
        for old, engine in zip(
            before, (self.reader, self.writer), strict=True
        ):
            new = self.connection(engine)
            self.assertIsNot(old, new)
            self.assertIs(new, self.connection(engine))

    def test_refusals_discard_once_a_second(self) -> None:
        for error, is_kept in ((REFUSED, True), (None, True), (DEAD, False)):
            with self.subTest(error):
                self.now += 10
                self.guard.discard(error)
                self.now += 0.5
                connection = self.connection(self.reader)
                self.now += 0.1
                self.guard.discard(error)
                is_same = self.connection(self.reader) is connection
                self.assertEqual(is_kept, is_same)

    def test_error_of_a_writer_discards(self) -> None:
        connection = self.connection(self.reader)
        self.now += 1
        with (
            self.assertRaises(db_exc.DBConnectionError),
            mock.patch.object(
                failures, "requires_new_connection", return_value=True
            ),
            self.writer.begin() as failing,
        ):
            failing.exec_driver_sql("no SQL")
        self.assertIsNot(connection, self.connection(self.reader))


class FileTest(PoolsCase):
    def test_replaced_file_is_opened(self) -> None:
        path = self.folder / "console_api.sqlite"
        before = self.connection(self.reader)
        backup = self.folder / "backup"
        backup.write_bytes(b"")
        backup.rename(path)
        self.now += 1.9
        self.assertIs(before, self.connection(self.reader))
        self.now += 0.2
        new = self.connection(self.reader)
        self.assertIsNot(before, new)
        self.now += 9
        self.assertIs(new, self.connection(self.reader))


class RoleTest(PoolsCase):
    """A server that has a role, which SQLite has not."""

    def setUp(self) -> None:
        self.role: object = 0
        self.asked = 0
        check = functools.partial(pools._leads_to_writable, "SELECT role()")
        self.enterContext(
            mock.patch.object(pools, "_connection_check", return_value=check)
        )
        super().setUp()
        sa.event.listen(self.reader, "connect", self.define_role)

    def define_role(self, connection: Any, _record: object) -> None:
        connection.create_function("role", 0, self.answer)

    def answer(self) -> object:
        self.asked += 1
        if isinstance(self.role, Exception):
            raise self.role
        return self.role

    def test_role_is_asked_at_intervals(self) -> None:
        first = self.connection(self.reader)
        self.now += 1.9
        self.connection(self.reader)
        self.assertEqual(0, self.asked)
        for _ in range(3):
            self.now += 0.2
            self.assertIs(first, self.connection(self.reader))
        self.assertEqual(1, self.asked)

    def test_read_only_server_is_left(self) -> None:
        for role in (1, "ON", "on", None, ValueError()):
            with self.subTest(role):
                self.role = 0
                before = [
                    self.connection(engine)
                    for engine in (self.reader, self.writer)
                ]
                self.role = role
                self.now += 3
                self.assertIsNot(before[0], self.connection(self.reader))
                self.assertIsNot(before[1], self.connection(self.writer))

    def test_writable_server_is_kept(self) -> None:
        for role in (0, "0", "OFF", "off"):
            with self.subTest(role):
                self.role = role
                before = self.connection(self.reader)
                self.now += 3
                self.assertIs(before, self.connection(self.reader))

    def test_only_a_read_only_server_is_used(self) -> None:
        self.role = 1
        for _ in range(3):
            connection = self.connection(self.reader)
            self.now += 1
            self.assertIs(connection, self.connection(self.reader))
            self.now += 1.5
            self.assertIsNot(connection, self.connection(self.reader))
