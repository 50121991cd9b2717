# SPDX-License-Identifier: Apache-2.0
import gzip
from typing import Any

from websockets.exceptions import InvalidStatus

from console_api.gateway.brokers.base import Client, Credential, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.pages import PAGES
from console_api.tests.unit.gateway.worker_case import WorkerCase

SECRET = "console.Uw"  # base64url of "S"


class PageTest(WorkerCase):
    async def test_existing_urls_show_page(self) -> None:
        await self.start(frame_ancestors="https://horizon.example.org")
        for path in sorted(PAGES):
            with self.subTest(path):
                answer = await self.get(f"{path}?token=T&path=%3Ftoken%3DT")
                self.assertEqual(200, answer.status)
                self.assertIn(
                    "frame-ancestors 'self' https://horizon.example.org",
                    answer.headers["Content-Security-Policy"],
                )
                self.assertEqual(
                    "console-api-gateway", answer.headers["Server"]
                )
        self.assertEqual([], self.broker.credentials)

    async def test_files_are_compressed_for_those_who_accept_it(self) -> None:
        await self.start()
        plain = await self.get("/")
        self.assertNotIn("Content-Encoding", plain.headers)
        for accepted in ("gzip", "br, gzip, deflate", "deflate,gzip"):
            answer = await self.get("/", Accept_Encoding=accepted)
            self.assertEqual("gzip", answer.headers["Content-Encoding"])
            self.assertEqual("Accept-Encoding", answer.headers["Vary"])
            self.assertLess(len(answer.body), len(plain.body))
            self.assertEqual(plain.body, gzip.decompress(answer.body))
        for accepted in ("", "br", "gzip;q=0", "x-gzip"):
            answer = await self.get("/", Accept_Encoding=accepted)
            self.assertNotIn("Content-Encoding", answer.headers)
            self.assertEqual(plain.body, answer.body)

    async def test_nothing_redirects(self) -> None:
        await self.start()
        for path in (
            "//evil.example/%2f..",
            "///evil.example/%2f..",
            "//evil.example",
            "/..//evil.example/",
            "http://evil.example/assets",
            "/vnc.html/",
            "/%0d%0aLocation:%20http://evil.example/",
            "/assets",
            "/assets/../../worker.py",
            "/assets/%2e%2e/%2e%2e/worker.py",
            "/exchange",
        ):
            with self.subTest(path):
                answer = await self.get(path)
                self.assertIn(answer.status, (400, 404, 405))
                self.assertNotIn("Location", answer.headers)
                self.assertNotIn(b"evil", answer.body)

    async def test_prefix_is_ignored_or_removed(self) -> None:
        await self.start(path_prefix="/cloud/console")
        for path in ("/vnc.html", "/cloud/console/vnc.html"):
            self.assertEqual(200, (await self.get(path)).status)
        self.assertEqual(404, (await self.get("/cloud/vnc.html")).status)

    async def test_head_and_other_methods(self) -> None:
        await self.start()
        head = await self.send(b"HEAD / HTTP/1.1\r\nHost: gateway\r\n\r\n")
        self.assertEqual((200, b""), (head.status, head.body))
        for method in ("POST", "PUT", "TRACE", "OPTIONS", "CONNECT"):
            with self.subTest(method):
                answer = await self.send(
                    f"{method} /x HTTP/1.1\r\nHost: gateway\r\n"
                    "Content-Length: 0\r\n\r\n".encode()
                )
                self.assertEqual(405, answer.status)

    async def test_large_head_is_refused(self) -> None:
        await self.start()
        field = b"X-Field: " + 2000 * b"x" + b"\r\n"
        answer = await self.send(
            b"GET / HTTP/1.1\r\nHost: gateway\r\n" + 9 * field + b"\r\n"
        )
        self.assertEqual(431, answer.status)

    async def test_health_answers_any_host(self) -> None:
        await self.start()
        answer = await self.get("/health")
        self.assertEqual((200, b"OK\n"), (answer.status, answer.body))


class ExchangeTest(WorkerCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        await self.serve_display(console_type="novnc", resume_timeout=7)

    async def test_secret_is_in_document_over_http(self) -> None:
        await self.start()
        answer = await self.exchange()
        self.assertEqual(200, answer.status, answer.body)
        self.assertRegex(answer.json["console"], r"^c[A-Za-z0-9_-]{22}\Z")
        self.assertEqual("S", answer.json["secret"])
        self.assertEqual(7, answer.json["resume_timeout"])
        self.assertIsNone(answer.headers["Set-Cookie"])

    async def test_secret_is_in_cookie_over_https(self) -> None:
        await self.start(trusted_proxies="127.0.0.1", path_prefix="/console")
        answer = await self.exchange(
            Origin=f"https://127.0.0.1:{self.port}",
            X_Forwarded_Proto="https",
        )
        self.assertIsNone(answer.json["secret"])
        self.assertEqual(
            f"console-{answer.json['console']}=S; Path=/console/; HttpOnly; "
            "Secure; SameSite=None; Partitioned",
            answer.headers["Set-Cookie"],
        )

    async def test_each_tab_has_its_own_key(self) -> None:
        await self.start()
        keys = {(await self.exchange()).json["console"] for _ in range(5)}
        self.assertEqual(5, len(keys))

    async def test_other_pages_are_refused(self) -> None:
        await self.start(allowed_origins="https://horizon.example.org")
        attempts: list[dict[str, Any]] = [
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "https://horizon.example.org"},
            {"Origin": f"https://127.0.0.1:{self.port}"},
            {"Sec_Fetch_Site": "cross-site"},
            {"Sec_Fetch_Site": "same-site"},
            {"Sec_Fetch_Site": "none"},
            {"Host": "evil.example"},
        ]
        for headers in attempts:
            with self.subTest(headers):
                answer = await self.exchange(**headers)
                self.assertEqual(403, answer.status)
        self.assertEqual([], self.broker.credentials)

    async def test_malformed_bodies_are_refused(self) -> None:
        await self.start()
        for body in (
            b"{",
            b"[]",
            b'"T"',
            b"{}",
            b'{"token": 1}',
            b'{"token": ""}',
            b'{"token": null}',
            b'{"token": "\xff"}',
            2000 * b"[",
            b'{"token": "' + 600 * b"x" + b'"}',
            b'{"token": "x", "y": "' + 5000 * b"x" + b'"}',
        ):
            with self.subTest(body[:20]):
                answer = await self.exchange(body=body)
                self.assertEqual(400, answer.status)
                self.assertEqual(4009, answer.json["code"])
        # What a form of another page could send.
        answer = await self.exchange(Content_Type="text/plain")
        self.assertEqual(400, answer.status)
        self.assertEqual([], self.broker.credentials)

    async def test_body_that_does_not_come_is_refused(self) -> None:
        await self.start(handshake_timeout=1)
        answer = await self.exchange(Content_Length="100")
        self.assertEqual(400, answer.status)

    async def test_refusal_says_why(self) -> None:
        await self.start()
        for reason, status in (
            (CloseReason.INVALID_TOKEN, 404),
            (CloseReason.TOKEN_USED, 409),
            (CloseReason.LOCKED, 403),
            (CloseReason.LIMIT_REACHED, 429),
            (CloseReason.UNAVAILABLE, 503),
        ):
            with self.subTest(reason):
                self.broker.refusal = Refused(
                    reason, "Because.", label="some_limit", retry_after=3
                )
                answer = await self.exchange()
                self.assertEqual(status, answer.status)
                self.assertEqual(
                    {
                        "reason": "some_limit",
                        "code": reason.code,
                        "message": "Because.",
                        "retry_after": 3,
                    },
                    answer.json,
                )
                self.assertEqual("3", answer.headers["Retry-After"])
                self.assertEqual(("refused", reason), self.observer.events[-1])

    async def test_guessing_is_limited(self) -> None:
        await self.start(max_attempts=3)
        self.broker.grant = None
        for _ in range(3):
            self.assertEqual(404, (await self.exchange()).status)
        answer = await self.exchange()
        self.assertEqual(429, answer.status)
        self.assertEqual("attempt_limit", answer.json["reason"])
        self.assertTrue(1 <= int(answer.headers["Retry-After"]) <= 60)
        browser = await self.connect()
        self.assertEqual(4008, await self.closed(browser))
        self.assertEqual(3, len(self.broker.credentials))

    async def test_token_of_unexpected_error_is_not_logged(self) -> None:
        await self.start()
        self.broker.refusal = ValueError("token is secret-of-a-test")
        with self.assertLogs("console_api", "ERROR") as logs:
            answer = await self.exchange("secret-of-a-test")
        self.assertEqual(500, answer.status)
        self.assertNotIn("secret-of-a-test", str(logs.output))
        self.assertNotIn(b"secret-of-a-test", answer.body)
        self.assertIn("ValueError", str(logs.output))


class OriginTest(WorkerCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        await self.serve_display()

    async def refused(self, **options: Any) -> bool:
        """Return whether a WebSocket is refused for its origin."""
        try:
            browser = await self.connect(**options)
        except InvalidStatus as error:
            self.assertEqual(403, error.response.status_code)
            return True
        await browser.close()
        return False

    async def test_only_own_and_allowed_origins(self) -> None:
        await self.start(allowed_origins="https://horizon.example.org")
        own = f"http://127.0.0.1:{self.port}"
        for origin, is_refused in (
            (None, False),
            (own, False),
            (own.upper(), False),
            ("https://horizon.example.org", False),
            ("https://horizon.example.org:443", False),
            ("http://horizon.example.org", True),
            ("https://horizon.example.org.evil.example", True),
            ("https://evil.example", True),
            (own.replace("http", "https"), True),
            ("http://127.0.0.1", True),
            (f"{own}.evil.example", True),
            (f"http://evil.example@127.0.0.1:{self.port}", True),
            ("null", True),
            ("", True),
            ("\u00e9", True),
        ):
            with self.subTest(origin):
                self.assertEqual(is_refused, await self.refused(origin=origin))
        self.assertEqual(5, len(self.broker.credentials))

    async def test_host_does_not_extend_allowed_origins(self) -> None:
        await self.start()
        evil = "http://evil.example"
        self.assertTrue(await self.refused(origin=evil))
        answer = await self.send(
            b"GET /?token=T HTTP/1.1\r\nHost: evil.example\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
            b"Origin: http://evil.example\r\n\r\n"
        )
        self.assertEqual(101, answer.status)
        self.assertTrue(await self.refused(origin=evil))

    async def test_forwarded_headers_of_others_are_ignored(self) -> None:
        await self.start()
        head = {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "192.0.2.9",
        }
        self.assertTrue(
            await self.refused(
                origin="https://evil.example", additional_headers=head
            )
        )
        await self.connect(additional_headers=head)
        self.assertEqual([Client("127.0.0.1")], self.broker.clients)

    async def test_trusted_proxy_names_client_and_scheme(self) -> None:
        await self.start(trusted_proxies="127.0.0.0/8")
        self.assertFalse(
            await self.refused(
                origin="https://console.example.org",
                additional_headers={
                    "X-Forwarded-Host": "console.example.org",
                    "X-Forwarded-Proto": "https",
                    "X-Forwarded-For": "203.0.113.1, 192.0.2.9",
                },
            )
        )
        self.assertEqual(
            [Client("192.0.2.9", "127.0.0.1")], self.broker.clients
        )


class CredentialTest(WorkerCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        await self.serve_display()
        await self.start()

    async def test_each_way_to_send_credential(self) -> None:
        key = "c" + 22 * "k"
        token, secret = Credential(token="T"), Credential(secret="S")
        for path, options, credential in (
            ("/?token=T", {}, token),
            ("/vnc_auto.html?token=T", {}, token),
            ("/a//b/%20?x=1&token=T", {}, token),
            ("/websockify", {"additional_headers": cookie("token=T")}, token),
            (
                f"/connect/{key}",
                {"additional_headers": cookie(f"console-{key}=S")},
                secret,
            ),
            (f"/connect/{key}", {"subprotocols": ["binary", SECRET]}, secret),
        ):
            with self.subTest(path):
                browser = await self.connect(path, **options)
                await browser.send(b"hello")
                self.assertEqual(b"hello", await browser.recv())
                self.assertEqual(credential, self.broker.credentials[-1])

    async def test_secret_is_not_answered(self) -> None:
        for offered, answered in (
            ((), None),
            (("binary",), "binary"),
            (("binary", SECRET), "binary"),
            (("base64", "binary"), "binary"),
        ):
            browser = await self.connect(subprotocols=list(offered) or None)
            self.assertEqual(answered, browser.subprotocol)

    async def test_others_are_told_to_open_new_console(self) -> None:
        key = "c" + 22 * "k"
        self.broker.grant = None
        for path, options in (
            ("/", {}),
            ("/?token=", {}),
            (f"/?token={600 * 'x'}", {}),
            (f"/connect/{key}", {}),
            (f"/connect/{key}?token=T", {}),
            (f"/connect/{key}", {"additional_headers": cookie("token=T")}),
            ("/connect/..", {"additional_headers": cookie("console-..=S")}),
            (f"/connect/{key}", {"subprotocols": ["binary", "console.%"]}),
        ):
            with self.subTest(path):
                browser = await self.connect(path, **options)
                self.assertEqual(4009, await self.closed(browser))
        self.assertEqual([], self.broker.credentials)

    async def test_full_worker_refuses(self) -> None:
        await self.stop()
        await self.start(max_connections=2)
        kept = [await self.connect() for _ in range(2)]
        with self.assertRaises(InvalidStatus) as caught:
            await self.connect()
        self.assertEqual(503, caught.exception.response.status_code)
        await kept[0].send(b"hello")
        self.assertEqual(b"hello", await kept[0].recv())

    async def test_no_token_in_log(self) -> None:
        with self.assertLogs(level="DEBUG") as logs:
            await self.connect("/?token=secret-of-a-test")
            await self.get("/vnc.html?token=secret-of-a-test")
            await self.exchange("secret-of-a-test")
            self.broker.grant = None
            await self.connect("/?token=secret-of-a-test")
            await self.send(
                b"GET /?token=secret-of-a-test HTTP/1.1\r\n:\r\n\r\n"
            )
        lines = [
            line
            for line in logs.output
            if not line.startswith("DEBUG:websockets.client:")
        ]
        self.assertNotIn("secret-of-a-test", "".join(lines))


def cookie(value: str) -> dict[str, str]:
    """Return the header with a cookie."""
    return {"Cookie": value}
