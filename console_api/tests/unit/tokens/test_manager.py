# SPDX-License-Identifier: Apache-2.0
import dataclasses
import hashlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from unittest import mock

from console_api import errors
from console_api.db import servers, tables
from console_api.directory.base import Endpoint
from console_api.directory.database import DatabaseDirectory
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, server_id
from console_api.tokens import manager
from console_api.tokens.manager import TokenManager

BASE_URLS = {
    "novnc": "http://host:6080/vnc_auto.html",
    "spice-html5": "http://host:6082/",
    "serial": "ws://host:6083/",
    "webmks": "",
}

ENDPOINTS: dict[str, dict[str, Any]] = {
    "vnc": {"port": 5901},
    "spice": {
        "host": "2001:db8::1",
        "port": 5902,
        "tls_port": 5903,
        "internal_access_path": "/path",
    },
    "mks": {},
}


class TokensCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = DatabaseDirectory(self.database)
        self.tokens = TokenManager(
            self.database, self.directory, 600, BASE_URLS
        )
        self.server = self.add_server(endpoints=ENDPOINTS)

    def at(self, now: float) -> Any:
        """Set the clock."""
        return mock.patch.object(
            manager, "time", SimpleNamespace(time=lambda: now)
        )

    def issue(self, protocol: str = "spice", kind: str = "spice-html5") -> Any:
        return self.tokens.issue(self.server, protocol, kind, "a-user")

    def token(self) -> bytes:
        """Issue a token and return it."""
        _url, _, token = self.issue().url.partition("?token=")
        return bytes(token, "ascii")


class IssueTest(TokensCase):
    def test_access_url_contains_token(self) -> None:
        for protocol, kind, start in (
            (
                "vnc",
                "novnc",
                "http://host:6080/vnc_auto.html?path=%3Ftoken%3D",
            ),
            ("spice", "spice-html5", "http://host:6082/?token="),
        ):
            with self.subTest(kind):
                console = self.issue(protocol, kind)
                self.assertEqual(
                    (protocol, kind), (console.protocol, console.console_type)
                )
                self.assertTrue(console.url.startswith(start), console.url)
                token = console.url.removeprefix(start)
                self.assertRegex(token, r"\A[A-Za-z0-9_-]{43}\Z")
                info = self.tokens.check(token.encode())
                self.assertEqual(kind, info.console_type)

    def test_tokens_are_unique(self) -> None:
        self.assertEqual(50, len({self.token() for _ in range(50)}))

    def test_token_does_not_look_like_an_option(self) -> None:
        drawn = mock.Mock(side_effect=["-a", "-b", "c"])
        with mock.patch("secrets.token_urlsafe", drawn):
            self.assertEqual(b"c", self.token())

    def test_token_is_stored_as_hash_with_user_and_expiry(self) -> None:
        with self.at(1000.9):
            token = self.token()
        [row] = self.rows(tables.console_auth_tokens)
        self.assertEqual(hashlib.sha256(token).hexdigest(), row.token_hash)
        self.assertEqual(("a-user", 1600), (row.user_id, row.expires_at))
        self.assertNotIn(token.decode(), str(row))

    def test_invalid_or_unavailable_type_is_refused(self) -> None:
        for protocol, kind, message in (
            ("vnc", "spice-html5", "Invalid console type spice-html5"),
            ("serial", "novnc", "Invalid console type novnc"),
            # It has no base URL, or an empty one.
            ("vnc", "xvpvnc", "Unavailable console type xvpvnc."),
            ("mks", "webmks", "Unavailable console type webmks."),
            # The server has no such endpoint.
            ("serial", "serial", "Unavailable console type serial."),
        ):
            with self.subTest(protocol=protocol, kind=kind):
                with self.assertRaises(errors.InvalidInput) as caught:
                    self.issue(protocol, kind)
                self.assertEqual(message, str(caught.exception))
        self.assertEqual([], self.rows(tables.console_auth_tokens))

    def test_endpoint_is_looked_up_after_other_checks(self) -> None:
        server = dataclasses.replace(self.server, endpoints={})
        with mock.patch.object(
            self.directory, "endpoint", return_value=Endpoint("c1", 5999)
        ) as endpoint:
            for kind in ("xvpvnc", "spice-html5"):
                with self.assertRaises(errors.InvalidInput):
                    self.tokens.issue(server, "vnc", kind, None)
            endpoint.assert_not_called()
            self.tokens.issue(server, "vnc", "novnc", None)
        endpoint.assert_called_once_with(server, "vnc")
        [row] = self.rows(tables.console_auth_tokens)
        self.assertEqual(("c1", 5999), (row.host, row.port))

    def test_unscheduled_server_is_not_ready(self) -> None:
        self.server = self.add_server(
            server_id(2), compute_host=None, endpoints=ENDPOINTS
        )
        with self.assertRaises(errors.ServerNotReady) as caught:
            self.issue()
        self.assertEqual(
            f"Instance {server_id(2)} is not ready", str(caught.exception)
        )

    def test_concurrently_deleted_server_is_not_found(self) -> None:
        servers.delete(self.database, self.server.uuid)
        with self.assertRaises(errors.ServerNotFound):
            self.issue()

    def test_token_has_endpoint_at_time_of_issue(self) -> None:
        moved = base.endpoint(host="192.0.2.99", internal_access_path="/moved")
        servers.update(
            self.database,
            SERVER,
            {"compute_host": "compute-2"},
            {"spice": moved},
        )
        info = self.tokens.check(self.token())
        self.assertEqual(
            ("192.0.2.99", 5901, None, "/moved"),
            (info.host, info.port, info.tls_port, info.internal_access_path),
        )

    def test_concurrently_changed_server_is_not_found(self) -> None:
        cases: Sequence[tuple[servers.ServerChanges, Sequence[str]]] = (
            ({"project_id": base.OTHER_PROJECT}, ()),
            ({"project_id": base.PROJECT}, ("spice",)),
        )
        for values, removed in cases:
            servers.update(self.database, SERVER, values, {}, removed)
            with (
                self.subTest(values),
                self.assertRaises(errors.ServerNotFound),
            ):
                self.issue()
        self.assertEqual([], self.rows(tables.console_auth_tokens))


class CheckTest(TokensCase):
    def test_token_has_connection_info_of_its_endpoint(self) -> None:
        self.assertEqual(
            manager.ConnectionInfo(
                server_id=self.server.uuid,
                project_id=base.PROJECT,
                console_type="spice-html5",
                host="2001:db8::1",
                port=5902,
                tls_port=5903,
                internal_access_path="/path",
            ),
            self.tokens.check(self.token()),
        )

    def test_token_can_be_used_until_it_expires(self) -> None:
        with self.at(1000):
            token = self.token()
        for now in (1000, 1599, 1599.999):
            with self.subTest(now=now), self.at(now):
                self.tokens.check(token)
        for now in (1600, 1600.5, 9999):
            with (
                self.subTest(now=now),
                self.at(now),
                self.assertRaises(errors.TokenNotFound),
            ):
                self.tokens.check(token)

    def test_malformed_token_is_not_found(self) -> None:
        token = self.token()
        for malformed in (
            b"",
            b"\0",
            b"\xff\xfe",
            b"x" * 10_000,
            token.swapcase(),
            token + b"\n",
            token + b".json",
            hashlib.sha256(token).hexdigest().encode(),
        ):
            with (
                self.subTest(malformed[:50]),
                self.assertRaises(errors.TokenNotFound),
            ):
                self.tokens.check(malformed)


class FindTest(TokensCase):
    def test_directory_is_not_asked(self) -> None:
        token = self.token()
        with mock.patch.object(
            self.directory, "confirm", side_effect=errors.DirectoryUnavailable
        ):
            self.assertEqual(SERVER, self.tokens.find(token).server_id)
            with self.assertRaises(errors.DirectoryUnavailable):
                self.tokens.check(token)

    def test_expired_token_is_not_found(self) -> None:
        with self.at(1000):
            token = self.token()
        with self.at(1600), self.assertRaises(errors.TokenNotFound):
            self.tokens.find(token)


class RevokeTest(TokensCase):
    def test_only_revoked_token_is_invalid(self) -> None:
        one, two = self.token(), self.token()
        self.tokens.revoke(one)
        with self.assertRaises(errors.TokenNotFound):
            self.tokens.check(one)
        self.tokens.check(two)

    def test_unknown_token_is_not_found(self) -> None:
        with self.assertRaises(errors.TokenNotFound):
            self.tokens.revoke(b"unknown")

    def test_all_tokens_of_one_server_are_revoked(self) -> None:
        first, second = self.token(), self.token()
        revoked = self.server
        self.server = self.add_server(server_id(2), endpoints=ENDPOINTS)
        other = self.token()
        for _ in range(2):
            self.tokens.revoke_all(revoked)
        for token in (first, second):
            with self.assertRaises(errors.TokenNotFound):
                self.tokens.check(token)
        self.tokens.check(other)


class PurgeTest(TokensCase):
    def test_only_expired_tokens_are_deleted(self) -> None:
        for now in (1000, 1000, 1001):
            with self.at(now):
                self.token()
        with self.at(1600):
            self.assertEqual([2], list(manager.purge(self.database, 10)))
        self.assertEqual(1, len(self.rows(tables.console_auth_tokens)))
