# SPDX-License-Identifier: Apache-2.0
import io
from typing import Any
from unittest import mock

import webob
from oslo_context import context as oslo_context
from oslo_context.context import RequestContext

from console_api import errors
from console_api.api import routes
from console_api.api.application import Application
from console_api.api.filter import Filter
from console_api.api.response import ANSWERED
from console_api.tests.unit import base
from console_api.tests.unit.api.test_application import (
    ACTION,
    CONSOLES,
    REMOTE,
    ApplicationCase,
)
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT, SERVER
from console_api.tokens.manager import TokenManager

TOKEN = "/os-console-auth-tokens/a"


class FilterTest(ApplicationCase):
    def setUp(self) -> None:
        super().setUp()
        self.passed: list[tuple[str, bytes]] = []
        self.application = Filter(
            Application(self.service), self.next_application
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

    def test_other_operations_are_passed_on_with_body(self) -> None:
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

    def test_other_actions_are_passed_on_with_body(self) -> None:
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

    def test_requests_of_our_own_directories_are_passed_on(self) -> None:
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

    def test_request_and_response_are_passed_on_untouched(self) -> None:
        untouched = mock.NonCallableMock(spec=[])
        answer = iter([b"in ", b"pieces"])

        def next_application(environ: Any, start_response: Any) -> Any:
            self.assertIs(untouched, environ["wsgi.input"])
            self.assertIs(start, start_response)
            self.assertEqual(before, environ)
            return answer

        start = mock.NonCallableMock(spec=[])
        environ = webob.Request.blank(
            f"/servers/{SERVER}/action", method="POST"
        ).environ
        environ.update(
            {
                "HTTP_TRANSFER_ENCODING": "chunked",
                "wsgi.input": untouched,
                "wsgi.input_terminated": True,
            }
        )
        before = dict(environ)
        application = Filter(
            Application(self.service, resources={"consoles"}),
            next_application,
        )
        self.assertIs(answer, application(environ, start))

    def test_only_configured_resources_are_served(self) -> None:
        for resource, method, path, body in (
            ("consoles", "GET", CONSOLES, b""),
            ("console_auth_tokens", "GET", TOKEN, b""),
            ("console_auth_tokens", "DELETE", TOKEN, b""),
            ("remote_consoles", "POST", REMOTE, b"{}"),
            ("remote_consoles", "DELETE", REMOTE, b""),
            ("remote_consoles", "POST", ACTION, b'{"os-getVNCConsole": {}}'),
            ("console_hosts", "GET", "/os-console-hosts", b""),
            ("console_hosts", "GET", "/os-console-hosts/vnc/a", b""),
            ("console_hosts", "PUT", "/os-console-hosts/vnc/a", b"{}"),
        ):
            for chosen in routes.RESOURCES:
                self.application = Filter(
                    Application(self.service, resources={chosen}),
                    self.next_application,
                )
                with self.subTest(path, chosen=chosen):
                    is_shared = (method, path) == ("GET", TOKEN)
                    if chosen != resource or is_shared:
                        self.assertPasses(method, path, body)
                    else:
                        reply = self.call(method, path, body=body)
                        self.assertNotEqual(299, reply.status)

    def test_unknown_token_is_passed_on(self) -> None:
        issued = self.service.tokens.issue(
            self.service.directory.get(SERVER), "vnc", "xvpvnc", "a-user"
        )
        _, _, token = issued.url.partition("?token=")
        ours = f"/os-console-auth-tokens/{token}"
        for path, version, headers in (
            (TOKEN, None, base.identity("service")),
            (TOKEN, "2.31", base.identity("admin")),
            # The other API may allow what we refuse.
            (TOKEN, "2.31", base.identity("reader")),
            (ours, "2.31", base.identity("reader")),
            (ours, "2.9999", base.identity("admin")),
            (ours, "nonsense", base.identity("admin")),
            (f"/{OTHER_PROJECT}{ours}", "2.31", base.identity("admin")),
            (ours, "2.31", {"X-User-Id": ""}),
            (ours, "2.31", {"X-Project-Id": "", "X-Roles": "admin"}),
        ):
            with self.subTest(path, version=version, headers=headers):
                reply = self.call(path=path, version=version, headers=headers)
                self.assertEqual(299, reply.status)
        for version, status in (("2.31", 200), ("2.30", 401)):
            reply = self.call(
                path=ours, version=version, headers=base.identity("service")
            )
            self.assertEqual(status, reply.status, reply.body)

    def test_token_is_not_passed_on_after_server_error(self) -> None:
        """The other API would not find a token of ours, ending a session."""
        for error, status in (
            (errors.DatabaseUnavailable(), 503),
            (KeyError("unexpected"), 500),
        ):
            with (
                self.subTest(status),
                mock.patch.object(TokenManager, "check", side_effect=error),
                self.assertLogs(level="ERROR"),
            ):
                reply = self.call(path=TOKEN, headers=base.identity("service"))
                self.assertEqual(status, reply.status)

    def test_context_of_the_pipeline_is_kept(self) -> None:
        theirs = RequestContext(user_id="pipeline-user")
        self.addCleanup(base.forget_context)
        self.assertEqual(200, self.call(path=CONSOLES).status)
        self.assertIs(theirs, oslo_context.get_current())

    def test_body_that_cannot_be_rewound_is_passed_on(self) -> None:
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

    def test_own_operations_are_served(self) -> None:
        for method, path, body, status in (
            ("GET", CONSOLES, b"", 200),
            ("HEAD", CONSOLES, b"", 200),
            ("POST", CONSOLES, b"", 200),
            ("GET", f"/{PROJECT}{CONSOLES}", b"", 200),
            ("GET", f"{CONSOLES}/999", b"", 404),
            ("DELETE", f"{CONSOLES}/999", b"", 404),
            ("POST", REMOTE, b"{}", 404),
            ("POST", ACTION, b'{"os-getVNCConsole": {"type": "novnc"}}', 200),
            ("POST", ACTION, b'{"os-getVNCConsole": {}}', 400),
            ("POST", ACTION, b'{"os-getVNCConsole": {}, "reboot": {}}', 400),
        ):
            with self.subTest(path, method=method, body=body):
                reply = self.call(method, path, body=body)
                self.assertEqual(status, reply.status, reply.body)
        self.assertEqual([], self.passed)
