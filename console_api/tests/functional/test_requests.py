# SPDX-License-Identifier: Apache-2.0
"""Requests to any operation: order of checks, request IDs, the log."""

import uuid

from console_api.tests.functional import base

MAX_BODY = 114_688
JSON = "application/json"
UNKNOWN = str(uuid.uuid4())


@base.on_each_database
class OrderTests(base.FunctionalTestCase):
    def test_each_check_precedes_all_later_ones(self):
        """A request with all errors; the reported one is corrected."""
        request = {
            "token": None,
            "method": "PUT",
            "project": "/" + uuid.uuid4().hex,
            "path": f"/servers/{UNKNOWN}/nothing",
            "version": "two",
            "type": "text/xml",
            "body": b"x" * (MAX_BODY + 1),
        }
        wrong_schema = b'{"remote_console": {}}'
        right = b'{"remote_console": {"protocol": "vnc", "type": "novnc"}}'
        for status, message, repair in (
            (413, "too large", {"body": b"{"}),
            (401, "X-Auth-Token", {"token": f"user:{self.project}"}),
            (404, "", {"path": f"/servers/{UNKNOWN}/remote-consoles"}),
            (405, "POST", {"method": "POST"}),
            (400, "API Version String", {"version": "2.999"}),
            (406, "2.999 is not supported", {"version": "2.5"}),
            (415, "text/xml", {"type": JSON}),
            (400, "Malformed request body", {"body": wrong_schema}),
            (400, "Malformed request URL", {"project": ""}),
            (404, "a microversion from 2.6", {"version": "2.6"}),
            (400, "Invalid input", {"body": right}),
            (404, f"Server {UNKNOWN} could not be found.", {}),
        ):
            with self.subTest(status=status, message=message):
                reply = self.client(None).request(
                    request["method"],
                    request["project"] + request["path"],
                    body=request["body"],
                    version=request["version"],
                    headers={
                        "X-Auth-Token": request["token"],
                        "Content-Type": request["type"],
                    },
                )
                self.assert_fault(reply, status)
                self.assertIn(message, reply.message)
            request.update(repair)


@base.on_each_database
class RequestIdTests(base.FunctionalTestCase):
    def test_every_response_has_new_request_id(self):
        # The client checks that both headers of a response are equal.
        replies = [
            self.client(None, prefix="").get("/"),
            self.client(None).get("/nothing"),
            *(self.member.get(f"/servers/{UNKNOWN}/consoles") for _ in "ab"),
        ]
        self.assertEqual(4, len({reply.request_id for reply in replies}))

    def test_request_id_of_caller_is_not_adopted(self):
        for name in ("X-Openstack-Request-Id", "X-Compute-Request-Id"):
            sent = f"req-{uuid.uuid4()}"
            reply = self.member.get(
                f"/servers/{UNKNOWN}/consoles", headers={name: sent}
            )
            self.assertNotEqual(sent, reply.request_id)

    def test_changes_and_refusals_are_logged(self):
        server_id = self.make_server()
        remote = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        for method, path, body, status in (
            ("POST", f"/servers/{server_id}/remote-consoles", remote, 200),
            ("DELETE", f"/servers/{server_id}/consoles/1", None, 404),
            ("GET", f"/servers/{server_id}/consoles/1", None, 404),
            ("GET", "/os-console-auth-tokens/***", None, 403),
        ):
            with self.subTest(method, path=path):
                reply = self.member.request(
                    method, path, body=body, version="2.6"
                )
                [line] = self.log_lines(reply, "status: ")
                self.assertIn(f'"{method} /v2.1{path}" status: ', line)
                self.assertIn(f"status: {status} ", line)
                is_audited = bool(self.log_lines(reply, "Issued a console"))
                self.assertEqual(body is remote, is_audited)

    def test_look_ups_are_not_logged(self):
        token = self.issue_token(self.make_server())
        reply = self.admin.get(
            f"/os-console-auth-tokens/{token}", version="2.31"
        )
        self.assertEqual((200, []), (reply.status, self.log_lines(reply)))

    def test_global_request_id_is_logged(self):
        """The ID that other services pass on, in addition to our own."""
        for sent, logged in (
            (f"req-{uuid.uuid4()}", True),
            (f"req-{uuid.uuid4()}x", False),
            ("req-nonsense", False),
        ):
            with self.subTest(sent):
                reply = self.member.get(
                    "/os-console-auth-tokens/unknown",
                    headers={"X-OpenStack-Request-Id": sent},
                )
                [line] = self.log_lines(reply)
                self.assertEqual(logged, sent in line, line)
