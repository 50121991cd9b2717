# SPDX-License-Identifier: Apache-2.0
import re
from collections.abc import Iterable
from typing import Any

from oslo_context import context as oslo_context

from console_api.api.application import Application
from console_api.api.middleware import context, request_log
from console_api.tests.unit import base
from console_api.tests.unit.base import PROJECT, SERVER

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class RequestIdTest(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(base.forget_context)
        self.logged: list[str | None] = []

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            current = oslo_context.get_current()
            self.logged.append(current.request_id if current else None)
            if environ.get("HTTP_X_USER_ID"):
                self.logged.append(context.of_request(environ).request_id)
            start_response("204 No Content", [("X-Own", "1")])
            return []

        self.filter = request_log.RequestLogFilter(application)

    def test_both_headers_carry_the_same_id(self) -> None:
        headers = base.call(self.filter).headers
        request_id = headers["x-openstack-request-id"]
        self.assertRegex(request_id, rf"\Areq-{UUID4}\Z")
        self.assertEqual(request_id, headers["x-compute-request-id"])
        self.assertEqual("1", headers["X-Own"])

    def test_id_is_new_for_each_request(self) -> None:
        sent = {"X-OpenStack-Request-Id": f"req-{SERVER}"}
        found = {
            base.call(self.filter, headers=sent).headers[
                "x-openstack-request-id"
            ]
            for _ in range(5)
        }
        self.assertEqual(5, len(found - set(sent.values())))

    def test_well_formed_global_request_id_is_kept(self) -> None:
        for sent, kept in (
            (f"req-{SERVER}", f"req-{SERVER}"),
            (SERVER, None),
            (f"req-{SERVER} more", None),
            ("", None),
        ):
            environ: dict[str, Any] = {}
            request = {"HTTP_X_OPENSTACK_REQUEST_ID": sent}

            def remember(
                given: dict[str, Any],
                start_response: Any,
                environ: dict[str, Any] = environ,
            ) -> Iterable[bytes]:
                environ.update(given)
                start_response("204 No Content", [])
                return []

            with self.subTest(sent):
                base.call(
                    request_log.RequestLogFilter(remember), environ=request
                )
                self.assertEqual(
                    kept, environ.get(request_log.GLOBAL_REQUEST_ID)
                )

    def test_id_is_in_context_before_and_after_authentication(self) -> None:
        reply = base.call(self.filter, headers=base.identity())
        self.assertEqual(
            [reply.headers["x-openstack-request-id"]] * 2, self.logged
        )


class LogTest(base.ServiceCase):
    def line(
        self, path: str, status: int, method: str = "GET", **environ: str
    ) -> str:
        """Send a request and return its log line."""
        application = request_log.RequestLogFilter(Application(self.service))
        with self.assertLogs(request_log.LOG, "DEBUG") as logs:
            reply = base.call(
                application,
                method,
                path,
                headers=base.identity("admin"),
                environ={"SCRIPT_NAME": "/v2.1", **environ},
            )
        self.assertEqual(status, reply.status)
        [line] = logs.output
        self.level = logs.records[0].levelname
        return line.partition(f"{request_log.LOG.name}:")[2]

    def test_each_request_logs_one_line(self) -> None:
        self.add_server()
        line = self.line(
            f"/servers/{SERVER}/consoles", 200, REMOTE_ADDR="192.0.2.1"
        )
        self.assertIsNotNone(
            re.fullmatch(
                rf'192\.0\.2\.1 "GET /v2\.1/servers/{SERVER}/consoles" '
                r"status: 200 time: \d+\.\d{4}",
                line,
            ),
            line,
        )

    def test_successful_reads_are_logged_at_debug(self) -> None:
        self.add_server()
        self.add_console_host()
        path = f"/servers/{SERVER}/consoles"
        for method, status, level in (
            ("GET", 200, "DEBUG"),
            ("HEAD", 200, "DEBUG"),
            ("POST", 200, "INFO"),
            ("PUT", 405, "INFO"),
        ):
            with self.subTest(method):
                self.line(path, status, method)
                self.assertEqual(level, self.level)

    def test_heartbeats_of_gateways_are_logged_at_debug(self) -> None:
        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            request_log.note_route(
                environ,
                "/os-console-gateways/{gateway_id}",
                {"gateway_id": SERVER},
            )
            start_response(environ["status"], [])
            return []

        for status, level in (("200 OK", "DEBUG"), ("409 Conflict", "INFO")):
            with self.assertLogs(request_log.LOG, "DEBUG") as logs:
                base.call(
                    request_log.RequestLogFilter(application),
                    "PUT",
                    f"/os-console-gateways/{SERVER}",
                    environ={"status": status},
                )
            self.assertEqual(level, logs.records[0].levelname)

    def test_tokens_are_never_logged(self) -> None:
        for path, status, shown in (
            (
                "/os-console-auth-tokens/s3cret",
                404,
                "/v2.1/os-console-auth-tokens/***",
            ),
            (
                f"/{PROJECT}/os-console-auth-tokens/s3cret?a=s3cret",
                404,
                "/v2.1/os-console-auth-tokens/***",
            ),
            # In a mistyped URL a token may be anywhere.
            ("/os-console-auth-token/s3cret", 404, "-"),
            ("/s3cret", 404, "-"),
            (
                "/servers/s3cret/consoles/1",
                404,
                "/v2.1/servers/***/consoles/1",
            ),
            (
                f"/servers/{SERVER}/consoles/s3cret",
                404,
                f"/v2.1/servers/{SERVER}/consoles/***",
            ),
            (
                f"/servers/{SERVER}s3cret/consoles/ab0",
                404,
                "/v2.1/servers/***/consoles/ab0",
            ),
        ):
            with self.subTest(path):
                line = self.line(path, status)
                self.assertIn(f'"GET {shown}" status: {status}', line)
                self.assertNotIn("s3cret", line)

    def test_path_cannot_forge_log_lines(self) -> None:
        line = self.line("/servers/a%0Ab%22c/consoles/1%0A", 404)
        self.assertIn('"GET /v2.1/servers/***/consoles/***"', line)
        self.assertNotIn("\n", line)

    def test_path_is_logged_when_method_is_not_allowed(self) -> None:
        line = self.line(f"/servers/{SERVER}/consoles", 405, "PUT")
        self.assertIn(f'127.0.0.1 "PUT /v2.1/servers/{SERVER}/consoles"', line)
