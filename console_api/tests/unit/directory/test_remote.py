# SPDX-License-Identifier: Apache-2.0
import dataclasses
import time
from typing import Any
from unittest import mock

from oslo_context.context import RequestContext

from console_api import errors
from console_api.db import tables
from console_api.directory import records
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER
from console_api.tests.unit.directory.nova import fake_nova
from console_api.tests.unit.directory.nova.fake_nova import fail_once, fault
from console_api.tests.unit.directory.nova.test_directory import MAIL, NovaCase
from console_api.tokens.manager import TokenManager


class CacheTest(NovaCase):
    def test_server_is_cached_for_cache_seconds(self) -> None:
        cached = self.make_directory(cache_seconds=0.5)
        started = time.monotonic()
        cached.get(SERVER)
        del self.nova.servers[SERVER]
        with self.assertRaises(errors.ServerNotFound):
            while True:
                self.assertEqual(MAIL, cached.get(SERVER))
                self.assertLess(time.monotonic(), started + 5)
        self.assertGreaterEqual(time.monotonic(), started + 0.5)
        self.assertEqual(3, len(self.nova.requests))

    def test_lifetime_starts_with_the_request(self) -> None:
        cached = self.make_directory(cache_seconds=0.2, timeout=10)

        def late(handler: Any) -> None:
            # The response must arrive after the lifetime of the cache entry.
            time.sleep(0.3)
            fake_nova.disconnect(handler)

        self.nova.responses["GET", "/v2.1"] = fail_once(self.nova, late)
        cached.get(SERVER)
        del self.nova.servers[SERVER]
        with self.assertRaises(errors.ServerNotFound):
            cached.get(SERVER)

    def test_change_by_another_process_invalidates_cache(self) -> None:
        cached = self.make_directory(cache_seconds=60)
        cached.get(SERVER)
        self.assertEqual(MAIL, cached.get(SERVER))
        self.assertEqual(1, len(self.nova.requests))
        moved = dataclasses.replace(MAIL, project_id=base.OTHER_PROJECT)
        self.nova.add_server(SERVER, tenant_id=base.OTHER_PROJECT)
        records.update(self.database, moved)
        self.assertEqual(moved, cached.get(SERVER))
        del self.nova.servers[SERVER]
        records.delete(self.database, SERVER)
        with self.assertRaises(errors.ServerNotFound):
            cached.get(SERVER)
        self.assertEqual([], self.rows(tables.servers))

    def test_failures_are_not_cached(self) -> None:
        cached = self.make_directory(cache_seconds=60)
        self.nova.responses["GET", "/v2.1"] = fault(500, "computeFault")
        self.assert_unavailable(lambda: cached.get(SERVER))
        self.nova.responses.clear()
        self.assertEqual(MAIL, cached.get(SERVER))


class UnknownServersTest(NovaCase):
    """Look-ups of servers that do not exist are limited."""

    def setUp(self) -> None:
        super().setUp()
        self.cached = self.make_directory(cache_seconds=60)
        self.addCleanup(base.forget_context)

    def requests_of(self, *server_ids: str) -> int:
        """Look up servers; return the number of requests to Nova."""
        before = len(self.nova.requests)
        for uuid in server_ids:
            with self.assertRaises((errors.ServerNotFound, errors.Overloaded)):
                self.cached.get(uuid)
        return len(self.nova.requests) - before

    def test_unknown_server_is_cached(self) -> None:
        self.assertEqual(2, self.requests_of(UNKNOWN_SERVER))
        self.assertEqual(0, self.requests_of(UNKNOWN_SERVER, UNKNOWN_SERVER))
        self.assertEqual(MAIL, self.cached.get(SERVER))

    def test_server_found_by_another_process_is_looked_up(self) -> None:
        del self.nova.servers[SERVER]
        self.requests_of(SERVER)
        self.nova.add_server(SERVER)
        self.make_directory().get(SERVER)
        self.assertEqual(MAIL, self.cached.get(SERVER))

    def test_user_looks_up_a_limited_number(self) -> None:
        self.make_directory().get(SERVER)
        RequestContext(user_id="a-user", project_id=base.PROJECT)
        unknown = [base.server_id(number) for number in range(100, 161)]
        with self.assertLogs("console_api.directory.unknown") as logged:
            self.assertEqual(2 * 60, self.requests_of(*unknown))
        self.assertEqual(1, len(logged.output))
        with self.assertRaises(errors.Overloaded):
            self.cached.get(UNKNOWN_SERVER)
        for text in ("", "1"):
            with self.assertRaises(errors.ServerNotFound):
                self.cached.get(text)
        # Servers that are stored, and other users, are not affected.
        self.assertEqual(MAIL, self.cached.get(SERVER))
        RequestContext(user_id="another-user", project_id=base.PROJECT)
        self.assertEqual(2, self.requests_of(UNKNOWN_SERVER))

    def test_agents_look_up_any_number(self) -> None:
        unknown = [base.server_id(number) for number in range(100, 165)]
        self.assertEqual(2 * 65, self.requests_of(*unknown))

    def test_missing_server_that_stays_stored_is_not_cached(self) -> None:
        self.make_directory().get(SERVER)
        del self.nova.servers[SERVER]
        with mock.patch.object(self.cached, "forget"):
            for _ in range(2):
                self.assertEqual(2, self.requests_of(SERVER))


class ConfirmTest(NovaCase):
    """Tokens are honored only for where the directory says the server is."""

    def issue(self, cache_seconds: float = 0) -> tuple[TokenManager, bytes]:
        """Issue a token of the server, and return it with its manager."""
        self.nova.endpoints["vnc"] = {
            "host": "192.0.2.10",
            "port": 5900,
            "internal_access_path": None,
        }
        found = self.make_directory(cache_seconds=cache_seconds)
        tokens = TokenManager(
            self.database, found, 600, {"novnc": "http://host/"}
        )
        url = tokens.issue(found.get(SERVER), "vnc", "novnc", "a-user").url
        return tokens, url.rpartition("%3D")[2].encode()

    def test_token_of_unchanged_server_is_valid(self) -> None:
        tokens, token = self.issue()
        for _ in range(2):
            self.assertEqual(SERVER, tokens.check(token).server_id)

    def test_token_of_changed_server_is_not_found(self) -> None:
        changes: tuple[dict[str, str | None] | None, ...] = (
            {"OS-EXT-SRV-ATTR:host": "compute-2"},
            {"tenant_id": base.OTHER_PROJECT},
            {"OS-EXT-SRV-ATTR:host": None},
            None,
        )
        for change in changes:
            self.nova.add_server(SERVER)
            tokens, token = self.issue()
            if change is None:
                del self.nova.servers[SERVER]
            else:
                self.nova.add_server(SERVER, **change)
            for _ in range(2):
                with (
                    self.subTest(change),
                    self.assertRaises(errors.TokenNotFound),
                ):
                    tokens.check(token)

    def test_token_stays_revoked_when_the_server_returns(self) -> None:
        changes: tuple[dict[str, Any], ...] = (
            {"OS-EXT-SRV-ATTR:host": "compute-2"},
            {"OS-EXT-STS:power_state": 4},
            {"OS-EXT-STS:power_state": 6},
            {"OS-EXT-STS:power_state": 7},
        )
        for change in changes:
            tokens, token = self.issue()
            self.nova.add_server(SERVER, **change)
            with self.assertRaises(errors.TokenNotFound):
                tokens.check(token)
            self.nova.add_server(SERVER)
            with self.subTest(change), self.assertRaises(errors.TokenNotFound):
                tokens.check(token)

    def test_token_of_paused_server_is_valid(self) -> None:
        for state in (0, 1, 3, None, [4]):
            tokens, token = self.issue()
            self.nova.add_server(SERVER, **{"OS-EXT-STS:power_state": state})
            with self.subTest(state):
                tokens.check(token)

    def test_look_up_of_stopped_server_without_tokens_only_reads(self) -> None:
        found = self.make_directory()
        self.nova.add_server(SERVER, **{"OS-EXT-STS:power_state": 4})
        found.get(SERVER)
        with mock.patch.object(
            self.database,
            "transaction",
            side_effect=errors.DatabaseUnavailable,
        ):
            found.get(SERVER)

    def test_token_is_not_honored_without_an_answer(self) -> None:
        tokens, token = self.issue()
        self.nova.responses["GET", "/v2.1"] = fault(500, "computeFault")
        self.assert_unavailable(lambda: tokens.check(token))
        self.nova.responses.clear()
        tokens.check(token)

    def test_recent_answer_is_reused(self) -> None:
        tokens, token = self.issue(cache_seconds=60)
        before = len(self.nova.requests)
        for _ in range(3):
            tokens.check(token)
        self.assertEqual(before, len(self.nova.requests))

    def test_unknown_token_sends_no_request(self) -> None:
        tokens, _token = self.issue()
        before = len(self.nova.requests)
        with self.assertRaises(errors.TokenNotFound):
            tokens.check(b"unknown")
        self.assertEqual(before, len(self.nova.requests))
