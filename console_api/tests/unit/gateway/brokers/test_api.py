# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import unittest
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from console_api import errors
from console_api.gateway.brokers.api import ApiBroker
from console_api.gateway.brokers.base import Credential, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.tests.unit.base import FolderCase, load_conf
from console_api.tests.unit.gateway.brokers import fake_api
from console_api.tests.unit.gateway.brokers.base import (
    CLIENT,
    FakeSession,
    running,
)
from console_api.tests.unit.gateway.brokers.fake_api import SECRET, FakeApi
from console_api.tests.waiting import wait_until_async

TOKEN = Credential(token="a-console-token")


class ApiCase(FolderCase, unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.api = FakeApi()
        await self.api.start()
        self.addAsyncCleanup(self.api.stop)

    def broker(self, **options: object) -> ApiBroker:
        conf = load_conf(
            self.folder,
            {
                "gateway": {"name": "gateway-1", **options},
                "gateway_api": {
                    "auth_type": "admin_token",
                    "endpoint": self.api.url,
                    "token": "admin:service",
                    "timeout": 30,
                },
            },
        )
        broker = ApiBroker.from_conf(conf)
        self.addAsyncCleanup(broker.finish, 0)
        return broker

    @contextlib.asynccontextmanager
    async def started(self, **options: object) -> AsyncIterator[ApiBroker]:
        async with running(self.broker(**options)) as broker:
            await wait_until_async(lambda: broker.trouble is None)
            yield broker

    async def refusal(
        self, broker: ApiBroker, credential: Credential = TOKEN
    ) -> Refused:
        with self.assertRaises(Refused) as caught:
            await broker.open(credential, CLIENT)
        return caught.exception

    async def beats(self, count: int) -> None:
        """Wait for further heartbeats."""
        wanted = len(self.api.beats) + count
        await wait_until_async(lambda: len(self.api.beats) >= wanted)


class OpenTest(ApiCase):
    async def test_token_opens_session(self) -> None:
        broker = self.broker()
        grant = await broker.open(TOKEN, CLIENT)
        [(method, path, body)] = self.api.requests
        self.assertEqual(("POST", "/v2.1/os-console-sessions"), (method, path))
        self.assertEqual(
            {
                "token": "a-console-token",
                "connect": True,
                "gateway_id": broker.gateway_id,
                "gateway": "gateway-1",
                "client_address": "192.0.2.7",
                "proxy_address": "192.0.2.8",
            },
            body["session"],
        )
        self.assertEqual(["admin:service"], self.api.tokens)
        self.assertEqual(SECRET, grant.secret)
        self.assertEqual(("192.0.2.1", 5900), (grant.host, grant.port))
        self.assertEqual(
            (3600, 600, 120),
            (grant.max_duration, grant.idle_timeout, grant.resume_timeout),
        )
        self.assertNotIn(SECRET, repr(grant))

    async def test_exchange_does_not_connect(self) -> None:
        grant = await self.broker().exchange(TOKEN, CLIENT)
        [(_method, _path, body)] = self.api.requests
        self.assertFalse(body["session"]["connect"])
        self.assertEqual(SECRET, grant.secret)

    async def test_secret_resumes(self) -> None:
        grant = await self.broker().open(Credential(secret=SECRET), CLIENT)
        [(_method, _path, body)] = self.api.requests
        self.assertEqual(SECRET, body["session"]["secret"])
        self.assertNotIn("token", body["session"])
        self.assertEqual("", grant.secret)

    async def test_refusals_keep_reason_and_retry_time(self) -> None:
        broker = self.broker()
        for status, label, reason in (
            (404, "invalid_token", CloseReason.INVALID_TOKEN),
            (404, "invalid_secret", CloseReason.INVALID_TOKEN),
            (409, "token_used", CloseReason.TOKEN_USED),
            (403, "locked", CloseReason.LOCKED),
            (429, "token_limit", CloseReason.LIMIT_REACHED),
            (429, "user_limit", CloseReason.LIMIT_REACHED),
            (429, "server_limit", CloseReason.LIMIT_REACHED),
            (429, "project_limit", CloseReason.LIMIT_REACHED),
            (429, "gateway_limit", CloseReason.LIMIT_REACHED),
        ):
            with self.subTest(label):
                self.api.responses["POST"] = fake_api.fault(
                    status, label, **{"Retry-After": "17"}
                )
                refused = await self.refusal(broker)
                self.assertIs(reason, refused.reason)
                self.assertEqual(label, refused.label)
                self.assertEqual(17, refused.retry_after)
                self.assertEqual("Refused.", str(refused))

    async def test_refusal_text_fits_into_close_frame(self) -> None:
        self.api.responses["POST"] = fake_api.fault(
            409, "token_used", "Ä" * 100
        )
        refused = await self.refusal(self.broker())
        self.assertEqual(CloseReason.TOKEN_USED.text, str(refused))

    async def test_invalid_response_opens_nothing(self) -> None:
        broker = self.broker()
        for description, response in fake_api.INVALID_RESPONSES.items():
            with self.subTest(description):
                self.api.responses["POST"] = response
                with self.assertNoLogs(level="CRITICAL"):
                    refused = await self.refusal(broker)
                self.assertIs(CloseReason.UNAVAILABLE, refused.reason)
                self.assertGreater(refused.retry_after or 0, 0)
        self.assertNotIn(
            "/elsewhere", [path for _method, path, _body in self.api.requests]
        )

    async def test_stopped_api_is_unavailable(self) -> None:
        broker = self.broker()
        await self.api.stop()
        refused = await self.refusal(broker)
        self.assertIs(CloseReason.UNAVAILABLE, refused.reason)
        self.assertEqual(1, broker.statistics.failed_requests)

    async def test_slow_api_is_unavailable(self) -> None:
        broker = self.broker()
        broker._client._access.timeout = 0.05
        released = self.api.released

        async def hang(_request: web.Request) -> web.StreamResponse:
            await released.wait()
            return web.Response()

        self.api.responses["POST"] = hang
        refused = await self.refusal(broker)
        self.assertIs(CloseReason.UNAVAILABLE, refused.reason)

    async def test_token_is_in_no_log(self) -> None:
        broker = self.broker()
        for description, response in fake_api.INVALID_RESPONSES.items():
            self.api.responses["POST"] = response
            with (
                self.subTest(description),
                self.assertLogs(level="DEBUG") as logged,
            ):
                await self.refusal(broker)
                self.assertNotIn("a-console-token", str(logged.output))
                self.assertNotIn("admin:service", str(logged.output))

    async def test_unknown_gateway_sends_heartbeat_first(self) -> None:
        broker = self.broker()
        self.api.responses["POST"] = [
            fake_api.fault(409, "unknown_gateway") for _ in range(3)
        ]
        await asyncio.gather(*(broker.open(TOKEN, CLIENT) for _ in range(3)))
        self.assertEqual(1, len(self.api.beats))

    async def test_missing_auth_type_is_configuration_error(self) -> None:
        conf = load_conf(self.folder)
        with self.assertRaisesRegex(
            errors.ConfigurationError, "auth_type is not set"
        ):
            ApiBroker.from_conf(conf)


class HeartbeatTest(ApiCase):
    async def test_heartbeat_clears_trouble(self) -> None:
        broker = self.broker()
        self.assertIsNotNone(broker.trouble)
        async with self.started():
            [first, *_] = self.api.beats
        self.assertEqual(
            {
                "name": "gateway-1",
                "interval": 1,
                "complete": True,
                "sessions": [],
            },
            first,
        )

    async def test_named_sessions_are_cut(self) -> None:
        async with self.started() as broker:
            sessions = [
                FakeSession(await broker.open(TOKEN, CLIENT), broker)
                for _ in range(6)
            ]
            reasons = ("cut", "revoked", "locked", "taken_over", "a_new_one")
            self.api.cut = [
                {"id": session.grant.session_id, "reason": reason}
                for session, reason in zip(sessions, reasons, strict=False)
            ]
            await wait_until_async(
                lambda: all(session.reason for session in sessions[:5])
            )
            self.assertEqual(
                [
                    CloseReason.CUT,
                    CloseReason.REVOKED,
                    CloseReason.LOCKED,
                    CloseReason.TAKEN_OVER,
                    CloseReason.CUT,
                    None,
                ],
                [session.reason for session in sessions],
            )
            self.assertEqual([sessions[5]], broker.sessions)

    async def test_resume_asks_at_once_what_to_cut(self) -> None:
        async with self.started(heartbeat_interval=60) as broker:
            before = len(self.api.beats)
            await broker.open(Credential(secret=SECRET), CLIENT)
            await wait_until_async(lambda: len(self.api.beats) > before)

    async def test_failing_cut_does_not_end_heartbeats(self) -> None:
        async with self.started() as broker:
            session = FakeSession(await broker.open(TOKEN, CLIENT), broker)
            session.cut = None  # type: ignore[assignment,method-assign]
            self.api.cut = [{"id": session.grant.session_id, "reason": "cut"}]
            await self.beats(3)

    async def test_api_that_restarts_gets_complete_report(self) -> None:
        async with self.started() as broker:
            session = FakeSession(await broker.open(TOKEN, CLIENT), broker)
            await self.api.stop()
            await wait_until_async(lambda: broker.trouble is not None)
            self.assertIsNone(session.reason)
            self.assertGreater(broker.statistics.failed_heartbeats, 0)
            self.api.beats.clear()
            await self.api.start()
            await wait_until_async(lambda: broker.trouble is None)
            first = self.api.beats[0]
            self.assertTrue(first["complete"])
            self.assertEqual(
                [session.grant.session_id],
                [each["id"] for each in first["sessions"]],
            )

    async def test_report_all_asks_for_complete_report(self) -> None:
        async with self.started():
            await self.beats(1)
            self.assertFalse(self.api.beats[-1]["complete"])
            self.api.report_all = True
            await self.beats(2)
            self.assertTrue(
                any(beat["complete"] for beat in self.api.beats[-2:])
            )

    async def test_invalid_responses_are_failures(self) -> None:
        def responding(status: int, document: Any) -> fake_api.Handler:
            async def respond(_request: web.Request) -> web.StreamResponse:
                return web.json_response(document, status=status)

            return respond

        for status, document in (
            (500, {}),
            (200, {}),
            (200, []),
            (200, {"gateway": {"report_all": False}}),
            (200, {"gateway": {"report_all": "no", "cut": []}}),
            (200, {"gateway": {"report_all": False, "cut": [1]}}),
            (200, {"gateway": {"report_all": False, "cut": [{"id": "x"}]}}),
        ):
            with self.subTest(document=document):
                self.api.responses["PUT"] = responding(status, document)
                broker = self.broker()
                await broker._heartbeats.register()
                self.assertEqual(1, broker.statistics.failed_heartbeats)
                self.assertIn("heartbeats", broker.trouble or "")

    async def test_slow_heartbeat_does_not_delay_later_ones(self) -> None:
        async def hang(_request: web.Request) -> web.StreamResponse:
            await self.api.released.wait()
            return web.Response()

        async with self.started() as broker:
            broker._heartbeats._timeout = 0.1
            self.api.responses["PUT"] = [hang]
            await wait_until_async(lambda: broker.trouble is not None)
            # A busy machine may miss further ones.
            await wait_until_async(lambda: broker.trouble is None)


class EndedTest(ApiCase):
    async def test_end_is_reported_with_traffic(self) -> None:
        async with self.started() as broker:
            session = FakeSession(await broker.open(TOKEN, CLIENT), broker)
            session.bytes_in, session.bytes_out = 3, 4
            session.cut(CloseReason.CLIENT_CLOSED)
            await wait_until_async(lambda: bool(self.api.ended))
            self.assertEqual(
                [
                    {
                        "id": session.grant.session_id,
                        "reason": "client_closed",
                        "bytes_in": 3,
                        "bytes_out": 4,
                    }
                ],
                self.api.ended,
            )

    async def test_abandoned_session_is_reported(self) -> None:
        async with self.started() as broker:
            grant = await broker.open(TOKEN, CLIENT)
            broker.abandoned(grant, CloseReason.DISPLAY_UNREACHABLE)
            await wait_until_async(lambda: bool(self.api.ended))
            self.assertEqual(
                "display_unreachable", self.api.ended[0]["reason"]
            )

    async def test_ends_are_kept_while_api_is_down(self) -> None:
        async with self.started() as broker:
            sessions = [
                FakeSession(await broker.open(TOKEN, CLIENT), broker)
                for _ in range(3)
            ]
            await self.api.stop()
            for session in sessions:
                session.cut(CloseReason.CLIENT_CLOSED)
            self.assertEqual(3, broker.statistics.pending_reports)
            await wait_until_async(lambda: broker.trouble is not None)
            await self.api.start()
            await wait_until_async(lambda: len(self.api.ended) == 3)
            self.assertEqual(
                [session.grant.session_id for session in sessions],
                [each["id"] for each in self.api.ended],
            )
            await wait_until_async(
                lambda: broker.statistics.pending_reports == 0
            )

    async def test_finish_sends_ends(self) -> None:
        broker = self.broker()
        FakeSession(await broker.open(TOKEN, CLIENT), broker).cut(
            CloseReason.GATEWAY_STOPPED
        )
        await broker.finish(30)
        self.assertEqual(1, len(self.api.ended))

    async def test_finish_gives_up_in_time(self) -> None:
        broker = self.broker()
        FakeSession(await broker.open(TOKEN, CLIENT), broker).cut(
            CloseReason.GATEWAY_STOPPED
        )
        await self.api.stop()
        await broker.finish(0.1)
        self.assertEqual(1, broker.statistics.pending_reports)

    async def test_refused_report_does_not_block_others(self) -> None:
        self.api.responses["POST"] = [fake_api.fault(400, "")]
        broker = self.broker()
        grant = await self._grant(broker)
        broker.abandoned(grant, CloseReason.CLIENT_CLOSED)
        self.api.responses["POST"] = [fake_api.fault(400, "")]
        async with running(broker):
            await wait_until_async(
                lambda: broker.statistics.pending_reports == 0
            )
            await wait_until_async(
                lambda: any(beat["complete"] for beat in self.api.beats)
            )

    async def _grant(self, broker: ApiBroker) -> Any:
        self.api.responses.clear()
        return await broker.open(TOKEN, CLIENT)
