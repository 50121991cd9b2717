# SPDX-License-Identifier: Apache-2.0
"""The dispatcher as a filter in another API's pipeline."""

import io
from typing import Any

import webob

from console_api.api.dispatch import Dispatcher
from console_api.api.response import ANSWERED
from console_api.tests.unit.api.test_dispatch import (
    ACTION,
    CONSOLES,
    REMOTE,
    DispatchCase,
)
from console_api.tests.unit.base import PROJECT, SERVER


class FilterTest(DispatchCase):
    def setUp(self) -> None:
        super().setUp()
        self.passed: list[tuple[str, bytes]] = []
        self.application = Dispatcher(
            self.service, next_app=self.next_application
        )

    def next_application(self, environ: Any, start_response: Any) -> Any:
        request = webob.Request(environ)
        self.passed.append((request.path_info, request.body))
        self.assertNotIn(ANSWERED, environ)
        start_response("299 Passed on", [])
        return [b"passed on"]

    def assertPasses(self, method: str, path: str, body: bytes = b"") -> None:
        self.passed.clear()
        reply = self.call(method, path, body=body)
        self.assertEqual((299, b"passed on"), (reply.status, reply.body))
        self.assertEqual([(path, body)], self.passed)

    def test_what_is_not_ours_passes_with_its_body(self) -> None:
        for method, path in (
            ("GET", "/"),
            ("GET", ""),
            ("GET", "/servers"),
            ("POST", "/servers"),
            ("GET", f"/servers/{SERVER}"),
            ("PUT", CONSOLES),
            ("DELETE", CONSOLES),
            ("GET", REMOTE),
            ("GET", ACTION),
            ("GET", f"{CONSOLES}/"),
            ("POST", "/os-console-hosts"),
            ("GET", "/os-console-hosts/1"),
        ):
            for body in (b"", b'{"server": {}}', b"\xff"):
                with self.subTest(path, method=method, body=body):
                    self.assertPasses(method, path, body)

    def test_the_actions_of_the_other_api_pass_with_their_body(self) -> None:
        for body in (
            b"",
            b"{",
            b"\xff\xfe",
            b"[]",
            b"[" * 100_000,
            b"1" * 10_000,
            b'"os-getVNCConsole"',
            b'["os-getVNCConsole"]',
            b'{"reboot": {"type": "SOFT"}}',
            b'{"server": {"os-getVNCConsole": {}}}',
            b'{"createImage": {"name": "' + b"x" * 100_000 + b'"}}',
        ):
            with self.subTest(body[:30]):
                self.assertPasses("POST", ACTION, body)

    def test_what_a_directory_of_ours_asks_nova_for_passes(self) -> None:
        for method, path in (
            ("POST", REMOTE),
            ("GET", "/os-console-auth-tokens/a"),
            ("GET", CONSOLES),
        ):
            with self.subTest(path, method=method):
                reply = self.call(
                    method,
                    path,
                    environ={"HTTP_X_CONSOLE_API_SKIP_FILTER": "1"},
                )
                self.assertEqual(299, reply.status)

    def test_a_body_that_can_be_read_once_is_read_by_both(self) -> None:
        body = b'{"reboot": {"type": "SOFT"}}'

        class Stream:
            def __init__(self) -> None:
                self.left = io.BytesIO(body)

            def read(self, size: int = -1) -> bytes:
                return self.left.read(size)

        reply = self.call(
            "POST",
            ACTION,
            environ={
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": Stream(),
            },
        )
        self.assertEqual(299, reply.status)
        self.assertEqual([(ACTION, body)], self.passed)

    def test_our_own_operations_are_answered(self) -> None:
        for method, path, body, status in (
            ("GET", CONSOLES, b"", 200),
            ("HEAD", CONSOLES, b"", 200),
            ("POST", CONSOLES, b"", 200),
            ("GET", f"/{PROJECT}{CONSOLES}", b"", 200),
            ("GET", f"{CONSOLES}/999", b"", 404),
            ("DELETE", f"{CONSOLES}/999", b"", 404),
            ("GET", "/os-console-auth-tokens/a", b"", 403),
            ("POST", REMOTE, b"{}", 404),
            ("POST", ACTION, b'{"os-getVNCConsole": {"type": "novnc"}}', 200),
            ("POST", ACTION, b'{"os-getVNCConsole": {}}', 400),
            ("POST", ACTION, b'{"os-getVNCConsole": {}, "reboot": {}}', 400),
        ):
            with self.subTest(path, method=method, body=body):
                reply = self.call(method, path, body=body)
                self.assertEqual(status, reply.status, reply.body)
        self.assertEqual([], self.passed)
