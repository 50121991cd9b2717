# SPDX-License-Identifier: Apache-2.0
from typing import Any
from unittest import mock

from console_api import errors
from console_api.db import console_auth_tokens, tables
from console_api.db.console_auth_tokens import ConnectionInfo, NewToken
from console_api.db.servers import Endpoint
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER


def token(hashed: str, **values: Any) -> NewToken:
    return NewToken(
        **{
            "token_hash": hashed,
            "server_id": SERVER,
            "project_id": base.PROJECT,
            "compute_host": "compute-1",
            "protocol": "vnc",
            "console_type": "novnc",
            "user_id": "a-user",
            "expires_at": 100,
            **values,
        }
    )


class TokensCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        more = {"tls_port": 5902, "internal_access_path": "/path"}
        self.add_server(endpoints={"vnc": more, "spice": {"port": 1}})

    def insert(self, hashed: str, **values: Any) -> bool:
        return console_auth_tokens.insert(
            self.database,
            token(hashed, **values),
        )

    def hashes(self) -> list[str]:
        return [
            row.token_hash for row in self.rows(tables.console_auth_tokens)
        ]


class GivenEndpointTest(TokensCase):
    """The endpoints of a server that is elsewhere are not in our tables."""

    endpoint = base.endpoint(host="192.0.2.99", port=5999)

    def insert_given(self, hashed: str, **values: Any) -> bool:
        return console_auth_tokens.insert(
            self.database,
            token(
                hashed,
                **{"protocol": "mks", "console_type": "webmks", **values},
            ),
            self.endpoint,
        )

    def test_given_endpoint_is_stored(self) -> None:
        self.assertTrue(self.insert_given("one"))
        row = console_auth_tokens.find(self.database, "one", 99)
        assert row is not None
        self.assertEqual(
            self.endpoint,
            Endpoint(
                row.host, row.port, row.tls_port, row.internal_access_path
            ),
        )

    def test_changed_server_gets_no_token(self) -> None:
        for change in (
            {"server_id": UNKNOWN_SERVER},
            {"project_id": "another"},
            {"compute_host": "compute-2"},
        ):
            with self.subTest(change):
                self.assertFalse(self.insert_given("one", **change))
        self.assertEqual([], self.hashes())


class FindTest(TokensCase):
    def test_token_has_project_of_server(self) -> None:
        self.assertTrue(self.insert("one"))
        self.insert("two", protocol="spice")
        row = console_auth_tokens.find(self.database, "one", 99)
        self.assertEqual(
            ConnectionInfo(
                server_id=SERVER,
                project_id=base.PROJECT,
                console_type="novnc",
                host="192.0.2.10",
                port=5901,
                tls_port=5902,
                internal_access_path="/path",
            ),
            row,
        )

    def test_token_is_valid_before_expiry(self) -> None:
        self.insert("one", expires_at=100)
        for now, valid in ((0, True), (99, True), (100, False), (101, False)):
            with self.subTest(now=now):
                row = console_auth_tokens.find(self.database, "one", now)
                self.assertEqual(valid, row is not None)

    def test_unknown_token_is_none(self) -> None:
        self.insert("one")
        self.assertIsNone(console_auth_tokens.find(self.database, "ONE", 1))

    def test_look_up_is_one_statement(self) -> None:
        self.insert("one")
        with mock.patch.object(
            self.database, "read", wraps=self.database.read
        ) as read:
            console_auth_tokens.find(self.database, "one", 1)
        read.assert_called_once()


class InsertTest(TokensCase):
    def test_user_is_optional(self) -> None:
        self.assertTrue(self.insert("one", user_id=None))

    def test_token_without_server_or_endpoint_is_not_stored(self) -> None:
        for values in (
            {"server_id": UNKNOWN_SERVER},
            {"project_id": base.OTHER_PROJECT},
            {"protocol": "rdp"},
        ):
            with self.subTest(values):
                self.assertFalse(self.insert("one", **values))
        self.assertEqual([], self.hashes())


class DeleteTest(TokensCase):
    def test_only_given_token_is_deleted(self) -> None:
        self.insert("one")
        self.insert("two")
        self.assertTrue(console_auth_tokens.delete(self.database, "one"))
        self.assertEqual(["two"], self.hashes())

    def test_delete_of_unknown_token_is_reported(self) -> None:
        self.insert("one")
        self.assertFalse(console_auth_tokens.delete(self.database, "two"))
        self.assertEqual(["one"], self.hashes())


class PurgeTest(TokensCase):
    def setUp(self) -> None:
        super().setUp()
        for number in range(5):
            self.insert(f"old-{number}", expires_at=50 + number)
        self.insert("now", expires_at=100)
        self.insert("new", expires_at=101)

    def test_expired_tokens_are_counted(self) -> None:
        for now, expected in ((49, 0), (50, 1), (100, 6), (101, 7)):
            with self.subTest(now=now):
                self.assertEqual(
                    expected,
                    console_auth_tokens.count_expired(self.database, now),
                )

    def test_purge_deletes_expired_tokens_in_batches(self) -> None:
        for batch, expected in (
            (4, [4, 2]),
            (6, [6]),
            (100, [6]),
            (3, [3, 3]),
        ):
            with self.subTest(batch=batch):
                self.assertEqual(
                    expected,
                    list(console_auth_tokens.purge(self.database, 100, batch)),
                )
                self.assertEqual(["new"], self.hashes())
                for number in range(6):
                    self.insert(f"old-{number}", expires_at=50 + number)

    def test_purge_starts_with_oldest_tokens(self) -> None:
        batches = console_auth_tokens.purge(self.database, 100, 2)
        self.assertEqual(2, next(batches))
        self.assertEqual(
            ["new", "now", "old-2", "old-3", "old-4"], self.hashes()
        )

    def test_purge_without_expired_tokens(self) -> None:
        self.assertEqual(
            [], list(console_auth_tokens.purge(self.database, 1, 10))
        )

    def test_concurrent_purge_is_not_counted_twice(self) -> None:
        mine = console_auth_tokens.purge(self.database, 100, 4)
        delete = console_auth_tokens._delete_batch

        def overtaken(*args: Any) -> int:
            delete(*args)
            return delete(*args)

        with mock.patch.object(
            console_auth_tokens, "_delete_batch", overtaken
        ):
            self.assertEqual([0, 0], list(mine))
        self.assertEqual(["new"], self.hashes())

    def test_purge_without_database_is_unavailable(self) -> None:
        batches = console_auth_tokens.purge(self.database, 100, 2)
        next(batches)
        with (
            mock.patch.object(
                self.database,
                "read",
                side_effect=errors.DatabaseUnavailable,
            ),
            self.assertRaises(errors.DatabaseUnavailable),
        ):
            next(batches)
