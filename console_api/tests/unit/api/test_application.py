# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any
from unittest import mock

import webob

from console_api import errors
from console_api.api.application import Application
from console_api.directory.database import DatabaseDirectory
from console_api.tests.unit import base
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT, SERVER

CONSOLES = f"/servers/{SERVER}/consoles"
REMOTE = f"/servers/{SERVER}/remote-consoles"
ACTION = f"/servers/{SERVER}/action"

JSON = {"Content-Type": "application/json"}


class ApplicationCase(base.ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_server(endpoints={"vnc": {}})
        self.add_console_host()
        self.application: Any = Application(self.service)

    def call(
        self,
        method: str = "GET",
        path: str = CONSOLES,
        *,
        headers: dict[str, str] | None = None,
        version: str | None = None,
        **more: Any,
    ) -> base.Reply:
        sent = {**base.identity(), **JSON, **(headers or {})}
        if version is not None:
            sent["OpenStack-API-Version"] = f"compute {version}"
        return base.call(self.application, method, path, headers=sent, **more)

    def assertFault(
        self, reply: base.Reply, status: int, key: str, message: str = ""
    ) -> None:
        self.assertEqual(status, reply.status)
        self.assertEqual((key, status), reply.fault[:2])
        self.assertIn(message, reply.fault[2])


class OrderTest(ApplicationCase):
    """Of several faults of a request, the first in order is reported."""

    def test_each_check_precedes_all_later_ones(self) -> None:
        request: dict[str, Any] = {
            "method": "PUT",
            "path": f"/{OTHER_PROJECT}/unknown",
            "headers": {"Content-Type": "text/xml"},
            "version": "2",
            "body": b"{",
        }
        remote = f"/{OTHER_PROJECT}{REMOTE}"
        document = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        # What is reported, and what is corrected before that.
        for status, message, correction in (
            (404, "This endpoint serves consoles only", {}),
            (405, "Method not allowed", {"path": remote}),
            (400, "invalid format", {"method": "POST"}),
            (406, "not supported by the API", {"version": "2.999"}),
            (415, "Unsupported Content-Type", {"version": "2.5"}),
            (400, "Malformed request body", {"headers": {}}),
            (400, "Malformed request URL", {"body": b"{}"}),
            (
                404,
                "a microversion from 2.6 to 2.104",
                {"path": f"/{PROJECT}{REMOTE}"},
            ),
            (400, "Invalid input", {"version": "2.6"}),
            (
                403,
                "Policy doesn't allow",
                {
                    "body": json.dumps(document).encode(),
                    "headers": {"X-Roles": "reader"},
                },
            ),
        ):
            with self.subTest(message, status=status):
                request.update(correction)
                reply = self.call(**request)
                self.assertEqual(status, reply.status, reply.body)
                self.assertIn(message, reply.fault[2])
        request.update(headers={})
        self.assertEqual(200, self.call(**request).status)

    def test_body_is_checked_before_identity(self) -> None:
        reply = base.call(
            self.application, "POST", CONSOLES, body=b"{", headers=JSON
        )
        self.assertFault(reply, 400, "badRequest", "Malformed")
        reply = base.call(self.application, "POST", CONSOLES)
        self.assertFault(reply, 401, "unauthorized")


class RouteTest(ApplicationCase):
    def test_unknown_path_is_not_found(self) -> None:
        for path in ("/", "/servers", f"{CONSOLES}/", f"/{CONSOLES}"):
            with self.subTest(path):
                self.assertFault(self.call(path=path), 404, "itemNotFound")

    def test_unsupported_method_returns_405_with_allow_header(self) -> None:
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "get", "TRACE"):
            with self.subTest(method):
                reply = self.call(method)
                self.assertFault(reply, 405, "badMethod", "GET, HEAD, POST")
                self.assertEqual("GET, HEAD, POST", reply.headers["Allow"])

    def test_head_is_get_without_body(self) -> None:
        get = self.call("GET")
        head = self.call("HEAD")
        self.assertEqual((200, b""), (head.status, head.body))
        self.assertEqual(list(get.headers.items()), list(head.headers.items()))

    def test_path_may_contain_project_of_caller(self) -> None:
        reply = self.call(path=f"/{PROJECT}{CONSOLES}")
        self.assertEqual({"consoles": []}, reply.json)

    def test_path_with_other_project_is_refused(self) -> None:
        for project in (OTHER_PROJECT, "-", "a" * 9999):
            with self.subTest(project[:40]):
                reply = self.call(path=f"/{project}{CONSOLES}")
                self.assertFault(reply, 400, "badRequest", project[:64])
                self.assertLess(len(reply.fault[2]), 250)


class VersionTest(ApplicationCase):
    def test_responses_name_microversion_in_force(self) -> None:
        for version, named in (
            (None, "2.1"),
            ("2.31", "2.31"),
            ("latest", "2.104"),
        ):
            for path in (CONSOLES, f"{CONSOLES}/1"):
                with self.subTest(version=version, path=path):
                    headers = self.call(path=path, version=version).headers
                    self.assertEqual(
                        f"compute {named}, console {named}",
                        headers["OpenStack-API-Version"],
                    )
                    self.assertEqual(
                        named, headers["X-OpenStack-Nova-API-Version"]
                    )
                    self.assertIn("OpenStack-API-Version", headers["Vary"])

    def test_malformed_microversion_returns_400_without_headers(self) -> None:
        reply = self.call(version="x")
        self.assertFault(reply, 400, "badRequest")
        self.assertNotIn("OpenStack-API-Version", reply.headers)

    def test_microversion_out_of_range_is_echoed_once(self) -> None:
        reply = self.call(version="2.105")
        self.assertFault(reply, 406, "computeFault")
        self.assertEqual(
            ["compute 2.105, console 2.105"],
            reply.headers.getall("OpenStack-API-Version"),
        )

    def test_operations_exist_in_their_microversions_only(self) -> None:
        remote = json.dumps(
            {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        ).encode()
        legacy = json.dumps({"os-getVNCConsole": {"type": "novnc"}}).encode()
        for path, body, version, status in (
            (REMOTE, remote, "2.6", 200),
            (REMOTE, remote, "2.104", 200),
            (ACTION, legacy, "2.1", 200),
            (ACTION, legacy, "2.5", 200),
        ):
            with self.subTest(path, version=version):
                reply = self.call("POST", path, body=body, version=version)
                self.assertEqual(status, reply.status)
        for path, body, version, message in (
            (
                REMOTE,
                remote,
                "2.5",
                "This operation requires a microversion from 2.6 to 2.104, "
                "but the request uses 2.5. Use POST "
                "/servers/{server_id}/action instead, or send the header "
                "OpenStack-API-Version: compute 2.6.",
            ),
            (
                ACTION,
                legacy,
                "2.6",
                "This operation requires a microversion from 2.1 to 2.5, but "
                "the request uses 2.6. Use POST "
                "/servers/{server_id}/remote-consoles instead, or send the "
                "header OpenStack-API-Version: compute 2.5.",
            ),
        ):
            with self.subTest(path, version=version):
                reply = self.call("POST", path, body=body, version=version)
                self.assertEqual(("itemNotFound", 404, message), reply.fault)

    def test_microversions_can_be_disabled(self) -> None:
        self.application = Application(self.service, microversions=False)
        for version in ("2.31", "x", "2.999"):
            with self.subTest(version):
                reply = self.call(version=version)
                self.assertEqual(200, reply.status)
                self.assertNotIn("OpenStack-API-Version", reply.headers)
                self.assertNotIn("Vary", reply.headers)
        reply = self.call("POST", REMOTE, version="2.6", body=b"{}")
        self.assertFault(reply, 404, "itemNotFound", "below /v2.1.")

    def test_unknown_properties_are_ignored_without_microversions(
        self,
    ) -> None:
        more = {"type": "novnc", "more": 1}
        for document, lenient in (
            ({"os-getVNCConsole": more}, 200),
            ({"os-getVNCConsole": {"more": 1}}, 400),
            ({"os-getVNCConsole": {"type": "more"}}, 400),
            ({"os-getVNCConsole": more, "more": 1}, 400),
            ({"more": more}, 400),
        ):
            body = json.dumps(document).encode()
            for microversions, status in ((True, 400), (False, lenient)):
                with self.subTest(document, microversions=microversions):
                    self.application = Application(
                        self.service, microversions=microversions
                    )
                    reply = self.call("POST", ACTION, body=body)
                    self.assertEqual(status, reply.status, reply.body)

    def test_unknown_action_is_named_in_every_microversion(self) -> None:
        for version in ("2.1", "2.5", "2.6", "2.104"):
            for name in ("os-stop", "OS-GETVNCCONSOLE", "", "x" * 9999):
                with self.subTest(name[:40], version=version):
                    reply = self.call(
                        "POST",
                        ACTION,
                        body=json.dumps({name: None}).encode(),
                        version=version,
                    )
                    self.assertFault(reply, 400, "badRequest")
                    self.assertEqual(
                        f"There is no such action: {name[:64]}",
                        reply.fault[2],
                    )


class UserTest(ApplicationCase):
    def test_user_id_must_fit_its_column(self) -> None:
        for length, status in ((255, 200), (256, 400), (5000, 400)):
            for path, version, document in (
                (
                    REMOTE,
                    "2.6",
                    {"remote_console": {"protocol": "vnc", "type": "novnc"}},
                ),
                (ACTION, "2.1", {"os-getVNCConsole": {"type": "novnc"}}),
            ):
                with self.subTest(path, length=length):
                    reply = self.call(
                        "POST",
                        path,
                        headers={"X-User-Id": "x" * length},
                        body=json.dumps(document).encode(),
                        version=version,
                    )
                    self.assertEqual(status, reply.status, reply.body)


class QueryTest(ApplicationCase):
    def test_first_value_of_a_parameter_is_used(self) -> None:
        self.call("POST")
        for query, status, count in (
            ("limit=0&limit=x", 200, 0),
            ("limit=1&limit=0", 200, 1),
            ("limit=x&limit=0", 400, None),
            ("limit=", 400, None),
            ("limit=%31", 200, 1),
            ("limit=%FF", 400, None),
            ("&&", 200, 1),
            ("a;b=%00&%zz", 200, 1),
        ):
            with self.subTest(query):
                reply = self.call(path=f"{CONSOLES}?{query}")
                self.assertEqual(status, reply.status)
                if count is not None:
                    self.assertEqual(count, len(reply.json["consoles"]))

    def test_operations_without_parameters_ignore_them(self) -> None:
        for method, path, status in (
            ("POST", CONSOLES, 200),
            ("GET", f"{CONSOLES}/999", 404),
            ("DELETE", f"{CONSOLES}/999", 404),
        ):
            with self.subTest(path, method=method):
                reply = self.call(method, f"{path}?limit=x&a=b")
                self.assertEqual(status, reply.status)

    def test_query_string_may_be_absent(self) -> None:
        environ = webob.Request.blank(
            CONSOLES, headers=base.identity()
        ).environ
        del environ["QUERY_STRING"]
        status, _headers, _body = webob.Request(environ).call_application(
            self.application
        )
        self.assertEqual("200 OK", status)


class ErrorTest(ApplicationCase):
    def get_with(self, error: Exception) -> base.Reply:
        with mock.patch.object(DatabaseDirectory, "get", side_effect=error):
            return self.call(version="2.31")

    def test_unexpected_error_is_neutral_and_names_microversion(self) -> None:
        reply = self.get_with(ZeroDivisionError("secret"))
        self.assertFault(reply, 500, "computeFault", "request ID")
        self.assertNotIn(b"secret", reply.body)
        self.assertNotIn(b"ZeroDivision", reply.body)
        self.assertEqual(
            "compute 2.31, console 2.31",
            reply.headers["OpenStack-API-Version"],
        )

    def test_unavailable_database_returns_503_with_retry_after(self) -> None:
        reply = self.get_with(errors.DatabaseUnavailable())
        self.assertFault(reply, 503, "serviceUnavailable")
        self.assertEqual("5", reply.headers["Retry-After"])
