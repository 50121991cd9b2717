# SPDX-License-Identifier: Apache-2.0
import time
from typing import Any

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.unit.base import SERVER
from console_api.tests.unit.cmd.manage.base import ManageCase

_DAY = 86400


class PurgeTest(ManageCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = int(time.time())
        self.add_gateway("alive", self.now)

    def insert(self, table: sa.Table, row: dict[str, Any]) -> None:
        with self.database.transaction() as connection:
            connection.execute(table.insert(), row)

    def add_gateway(self, gateway_id: str, last_seen_at: int) -> None:
        row = {
            "id": gateway_id,
            "name": gateway_id,
            "heartbeat_interval": 1,
            "last_seen_at": last_seen_at,
        }
        self.insert(tables.console_gateways, row)

    def add_session(self, id_: str, **values: Any) -> None:
        row = {
            "id": id_,
            "token_hash": id_,
            "secret_hash": id_,
            "gateway_id": "alive",
            "gateway": "alive",
            "server_id": SERVER,
            "project_id": "a-project",
            "console_type": "novnc",
            "host": "192.0.2.1",
            "port": 5900,
            "view_only": False,
            "exclusive": False,
            "client_address": "192.0.2.7",
            "created_at": self.now,
            "connected_at": self.now,
            "last_activity_at": self.now,
            **values,
        }
        self.insert(tables.console_sessions, row)

    def scopes(self) -> set[str]:
        """Return the projects and users that sessions are counted for."""
        return {row.name for row in self.rows(tables.console_session_scopes)}

    def reasons(self) -> dict[str, str | None]:
        """Return why the remaining sessions were closed."""
        return {
            row.id: row.close_reason
            for row in self.rows(tables.console_sessions)
        }

    def test_old_sessions_are_deleted_in_batches(self) -> None:
        for number in range(5):
            self.add_session(
                f"old-{number}", closed_at=self.now - 30 * _DAY - 5
            )
        self.add_session("new", closed_at=self.now - 30 * _DAY + 60)
        self.add_session("open", created_at=1, connected_at=1)
        outcome = self.manage("session", "purge", "--batch-size", "2")
        self.assertEqual("Deleted 5 old sessions.\n", outcome.stdout)
        self.assertEqual({"new", "open"}, set(self.reasons()))

    def test_use_of_existing_token_is_kept(self) -> None:
        self.add_server()
        self.add_token("a" * 64)
        self.add_session("used", token_hash="a" * 64, closed_at=1)
        outcome = self.manage("session", "purge")
        self.assertEqual("Deleted 0 old sessions.\n", outcome.stdout)
        self.assertEqual({"used"}, set(self.reasons()))

    def test_sessions_of_gateways_that_are_gone_are_closed(self) -> None:
        self.add_gateway("gone", self.now - _DAY - 60)
        self.add_session("a", gateway_id="gone")
        self.add_session("b")
        self.manage("session", "purge")
        self.assertEqual({"a": "gateway_lost", "b": None}, self.reasons())
        self.assertEqual(
            ["alive"], [row.id for row in self.rows(tables.console_gateways)]
        )

    def test_sessions_that_were_never_connected_are_closed(self) -> None:
        self.add_session("a", connected_at=None, created_at=self.now - 121)
        self.add_session("b", connected_at=None)
        self.manage("session", "purge")
        self.assertEqual({"a": "not_connected", "b": None}, self.reasons())

    def test_scopes_without_sessions_are_deleted(self) -> None:
        kept = {"project:a-project", "project:b", "user:a-user"}
        others = {"project:a-user", "user:a-project", "user:old-user"}
        for name in kept | others:
            self.insert(
                tables.console_session_scopes, {"name": name, "revision": 7}
            )
        self.add_session("old", closed_at=1, user_id="old-user")
        self.add_session("a", user_id="a-user")
        self.add_session("b", project_id="b")
        self.manage("session", "purge", "--batch-size", "2")
        self.assertEqual(kept, self.scopes())
