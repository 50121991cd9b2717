# SPDX-License-Identifier: Apache-2.0
import unittest

from aiohttp import web

from console_api.gateway.brokers.base import Credential, Refused
from console_api.gateway.brokers.loading import create_broker
from console_api.gateway.brokers.local import LocalBroker
from console_api.gateway.close_reasons import CloseReason
from console_api.tests.unit.base import FolderCase, load_conf
from console_api.tests.unit.gateway.brokers import fake_api
from console_api.tests.unit.gateway.brokers.base import (
    CLIENT,
    FakeSession,
    running,
)
from console_api.tests.unit.gateway.brokers.fake_api import (
    SERVER_ID,
    FakeNova,
)
from console_api.tests.waiting import wait_until_async


class LocalBrokerTest(FolderCase, unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.nova = FakeNova()
        await self.nova.start()
        self.addAsyncCleanup(self.nova.stop)

    def broker(self, **options: object) -> LocalBroker:
        conf = load_conf(
            self.folder,
            {
                "gateway": {"sessions": "local", **options},
                "nova": {
                    "auth_type": "admin_token",
                    "endpoint": self.nova.url,
                    "token": "token-of-the-service-user",
                },
            },
        )
        broker = create_broker(conf)
        assert isinstance(broker, LocalBroker)
        self.addAsyncCleanup(broker.finish, 0)
        return broker

    def token(
        self, console_type: str = "novnc", hint: str | None = None
    ) -> Credential:
        token = self.nova.issue(console_type)
        return Credential(token=token, console_type=hint)

    async def refusal(
        self, broker: LocalBroker, credential: Credential
    ) -> Refused:
        with self.assertRaises(Refused) as caught:
            await broker.open(credential, CLIENT)
        return caught.exception

    async def test_token_opens_session(self) -> None:
        grant = await self.broker().open(self.token(), CLIENT)
        self.assertEqual(SERVER_ID, grant.server_id)
        self.assertEqual("novnc", grant.console_type)
        self.assertEqual(("192.0.2.1", 5900), (grant.host, grant.port))
        self.assertEqual("a-project", grant.project_id)
        self.assertEqual("compute-1", grant.compute_host)
        self.assertIsNone(grant.user_id)
        self.assertEqual(
            (43200, 3600), (grant.max_duration, grant.idle_timeout)
        )

    async def test_display_shows_console_type(self) -> None:
        broker = self.broker(local_max_sessions_per_server=100)
        for console_type in fake_api.PORTS:
            for hint in (None, "novnc", "serial", "spice-html5"):
                with self.subTest(console_type, hint=hint):
                    credential = self.token(console_type, hint)
                    grant = await broker.open(credential, CLIENT)
                    self.assertEqual(console_type, grant.console_type)

    async def test_hint_saves_requests(self) -> None:
        credential = self.token("serial", "serial")
        await self.broker().open(credential, CLIENT)
        posts = [r for r in self.nova.requests if r[0] == "POST"]
        self.assertEqual(1, len(posts))

    async def test_port_of_another_server_is_refused(self) -> None:
        credential = self.token()
        # The server was restarted and has another port now.
        self.nova.ports["novnc"] = 5955
        refused = await self.refusal(self.broker(), credential)
        self.assertIs(CloseReason.INVALID_TOKEN, refused.reason)

    async def test_failure_for_other_types_is_no_failure(self) -> None:
        async def fail(_request: web.Request) -> web.StreamResponse:
            return web.json_response({"computeFault": {}}, status=500)

        self.nova.responses["POST"] = [fail]
        broker, credential = self.broker(), self.token("serial", "novnc")
        grant = await broker.open(credential, CLIENT)
        self.assertEqual("serial", grant.console_type)
        del self.nova.ports["serial"]
        self.nova.responses["POST"] = [fail]
        refused = await self.refusal(broker, credential)
        self.assertIs(CloseReason.UNAVAILABLE, refused.reason)

    async def test_display_is_not_checked_if_disabled(self) -> None:
        credential = self.token("serial", "serial")
        self.nova.ports["novnc"] = 5955
        broker = self.broker(local_check_displays=False)
        grant = await broker.open(credential, CLIENT)
        self.assertEqual("serial", grant.console_type)
        credential = self.token()
        grant = await broker.open(credential, CLIENT)
        self.assertEqual("novnc", grant.console_type)

    async def test_secret_opens_as_often_as_the_token(self) -> None:
        broker = self.broker()
        credential = self.token("serial")
        secret = (await broker.exchange(credential, CLIENT)).secret
        for _ in range(2):
            grant = await broker.open(Credential(secret=secret), CLIENT)
            self.assertEqual("serial", grant.console_type)
        self.nova.displays.clear()
        refused = await self.refusal(broker, Credential(secret=secret))
        self.assertIs(CloseReason.INVALID_TOKEN, refused.reason)

    async def test_malformed_secrets_are_refused(self) -> None:
        broker = self.broker()
        token = self.token().token
        for secret in ("", "x", f"rdp-html5.{token}", f".{token}", "novnc."):
            with self.subTest(secret):
                refused = await self.refusal(broker, Credential(secret=secret))
                self.assertIs(CloseReason.INVALID_TOKEN, refused.reason)

    async def test_malformed_tokens_are_not_looked_up(self) -> None:
        broker = self.broker()
        await broker.open(self.token(), CLIENT)
        self.nova.requests.clear()
        for token in (
            *("", ".", "..", "../servers/x", "a/b", "a?b=c", "a#b", "%2e%2e"),
            *("\0", "a\n", "\xe4", "\ud800", "x" * 256),
        ):
            for secret in (None, f"novnc.{token}"):
                with self.subTest(ascii(token), is_secret=secret is not None):
                    guess = Credential(secret=secret)
                    if secret is None:
                        guess = Credential(token=token)
                    refused = await self.refusal(broker, guess)
                    reason = CloseReason.INVALID_TOKEN
                    self.assertIs(reason, refused.reason)
        self.assertEqual([], self.nova.requests)
        # The gateway is as ready as before.
        self.assertIsNone(broker.trouble)

    async def test_server_that_does_not_run_is_refused(self) -> None:
        broker = self.broker()
        credential = self.token()
        assert self.nova.server is not None
        for state in (4, 6, 7):
            with self.subTest(state):
                self.nova.server["OS-EXT-STS:power_state"] = state
                refused = await self.refusal(broker, credential)
                self.assertIs(CloseReason.INVALID_TOKEN, refused.reason)
        self.nova.server = None
        refused = await self.refusal(broker, credential)
        self.assertIs(CloseReason.INVALID_TOKEN, refused.reason)

    async def test_limit_per_token(self) -> None:
        broker = self.broker(local_max_sessions_per_token=2)
        credential = self.token()
        secret = (await broker.exchange(credential, CLIENT)).secret
        session = FakeSession(await broker.open(credential, CLIENT), broker)
        grant = await broker.open(Credential(secret=secret), CLIENT)
        refused = await self.refusal(broker, credential)
        self.assertEqual("token_limit", refused.label)
        self.assertGreater(refused.retry_after or 0, 0)
        self.assertEqual([session], broker.sessions)
        session.cut(CloseReason.CLIENT_CLOSED)
        broker.abandoned(grant, CloseReason.DISPLAY_UNREACHABLE)
        for _ in range(2):
            await broker.open(credential, CLIENT)

    async def test_limit_per_server(self) -> None:
        broker = self.broker(local_max_sessions_per_server=2)
        for _ in range(2):
            await broker.open(self.token(), CLIENT)
        refused = await self.refusal(broker, self.token())
        self.assertEqual("server_limit", refused.label)

    async def test_invalid_responses_are_unavailable(self) -> None:
        broker = self.broker()
        credential = self.token()
        responses = dict(fake_api.INVALID_RESPONSES)
        for description, response in responses.items():
            for method in ("GET", "POST"):
                with (
                    self.subTest(description, method=method),
                    self.assertLogs(level="DEBUG") as logged,
                ):
                    self.nova.responses = {method: response}
                    refused = await self.refusal(broker, credential)
                    self.assertIs(CloseReason.UNAVAILABLE, refused.reason)
                    self.assertNotIn(str(credential.token), str(logged.output))

    async def test_404_of_a_proxy_is_unavailable(self) -> None:
        async def respond(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=404, text="<html>")

        self.nova.responses["GET"] = respond
        refused = await self.refusal(self.broker(), self.token())
        self.assertIs(CloseReason.UNAVAILABLE, refused.reason)

    async def test_trouble_says_whether_nova_responds(self) -> None:
        broker = self.broker()
        self.assertIsNotNone(broker.trouble)
        async with running(broker):
            await wait_until_async(lambda: broker.trouble is None)
            await self.nova.stop()
            await self.refusal(broker, Credential(token="x"))
            self.assertIn("Nova", broker.trouble or "")
            await self.nova.start()
            await self.refusal(broker, Credential(token="x"))
            self.assertIsNone(broker.trouble)
