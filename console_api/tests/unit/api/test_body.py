# SPDX-License-Identifier: Apache-2.0
import io

import webob.exc

from console_api.tests.unit import base
from console_api.tests.unit.api.test_application import (
    CONSOLES,
    ApplicationCase,
)


class BodyTest(ApplicationCase):
    def test_content_type_is_checked_only_with_body(self) -> None:
        for content_type, status in (
            ("application/json", 200),
            ("application/json; charset=utf-8", 200),
            ("Application/JSON", 200),
            ("application/vnd.openstack.compute+json", 200),
            ("text/plain", 200),
            ("", 200),
            ("text/xml", 415),
            ("application/json-patch+json", 415),
            ("x" * 9999, 415),
        ):
            headers = {"Content-Type": content_type}
            with self.subTest(content_type[:50]):
                reply = self.call("POST", headers=headers, body=b"{}")
                self.assertEqual(status, reply.status)
                self.assertLess(len(reply.body), 250)
                reply = self.call("POST", headers=headers)
                self.assertEqual(200, reply.status)

    def test_content_type_may_be_absent(self) -> None:
        reply = base.call(
            self.application,
            "POST",
            CONSOLES,
            body=b"{}",
            headers=base.identity(),
        )
        self.assertEqual(200, reply.status)

    def test_chunked_body_is_read(self) -> None:
        for body, status in ((b"{}", 200), (b"{", 400)):
            chunked = {
                "HTTP_TRANSFER_ENCODING": "chunked",
                "wsgi.input_terminated": True,
                "wsgi.input": io.BytesIO(body),
            }
            with self.subTest(body):
                reply = self.call("POST", environ=chunked)
                self.assertEqual(status, reply.status)

    def test_chunked_body_left_encoded_returns_411(self) -> None:
        chunked = {
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": io.BytesIO(b"2\r\n{}\r\n0\r\n\r\n"),
        }
        self.assertFault(
            self.call("POST", environ=chunked),
            411,
            "computeFault",
            "Content-Length",
        )

    def test_create_accepts_any_document_or_none(self) -> None:
        for body in (None, b"", b"{}", b"[]", b"null", b'{"console": 1}'):
            with self.subTest(body):
                self.assertEqual(200, self.call("POST", body=body).status)

    def test_malformed_json_is_refused(self) -> None:
        for body in (
            b"{",
            b"x",
            b"{} {}",
            b"\xff\xfe",
            b'"\xe9"',
            "{}".encode("utf-16"),
            b"\0",
            b"[" * 100_000,
            b"1" * 10_000,
        ):
            with self.subTest(body[:20]):
                self.assertFault(
                    self.call("POST", body=body),
                    400,
                    "badRequest",
                    "Malformed request body",
                )

    def test_body_of_get_head_and_delete_is_not_read(self) -> None:
        class Unreadable:
            def read(self, size: int = -1) -> bytes:
                raise AssertionError

        for method, path, status in (
            ("GET", CONSOLES, 200),
            ("HEAD", CONSOLES, 200),
            ("DELETE", f"{CONSOLES}/1", 404),
        ):
            for header in (
                {"CONTENT_LENGTH": "10", "CONTENT_TYPE": "text/xml"},
                {"HTTP_TRANSFER_ENCODING": "chunked"},
            ):
                with self.subTest(method, header=header):
                    reply = self.call(
                        method,
                        path,
                        environ={**header, "wsgi.input": Unreadable()},
                    )
                    self.assertEqual(status, reply.status)

    def test_incomplete_body_is_refused(self) -> None:
        reply = self.call(
            "POST",
            environ={"CONTENT_LENGTH": "10", "wsgi.input": io.BytesIO(b"{}")},
        )
        self.assertFault(reply, 400, "badRequest", "cannot be read")

    def test_body_over_limit_returns_413(self) -> None:
        class Limited:
            def read(self, size: int = -1) -> bytes:
                raise webob.exc.HTTPRequestEntityTooLarge

        reply = self.call(
            "POST",
            environ={"CONTENT_LENGTH": "10", "wsgi.input": Limited()},
        )
        self.assertFault(reply, 413, "overLimit", "too large")
