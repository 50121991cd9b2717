# SPDX-License-Identifier: Apache-2.0
"""Bodies and queries, as they reach the dispatcher."""

import io

import webob
import webob.exc

from console_api.tests.unit import base
from console_api.tests.unit.api.test_application import CONSOLES, DispatchCase


class BodyTest(DispatchCase):
    def test_a_content_type_is_judged_where_there_is_a_body(self) -> None:
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

    def test_a_body_may_come_without_a_type(self) -> None:
        reply = base.call(
            self.application,
            "POST",
            CONSOLES,
            body=b"{}",
            headers=base.identity(),
        )
        self.assertEqual(200, reply.status)

    def test_a_body_in_chunks_is_read(self) -> None:
        for body, status in ((b"{}", 200), (b"{", 400)):
            chunked = {
                "HTTP_TRANSFER_ENCODING": "chunked",
                "wsgi.input_terminated": True,
                "wsgi.input": io.BytesIO(body),
            }
            with self.subTest(body):
                reply = self.call("POST", environ=chunked)
                self.assertEqual(status, reply.status)

    def test_a_body_in_chunks_that_the_server_leaves_to_us(self) -> None:
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

    def test_create_takes_any_document_or_none(self) -> None:
        for body in (None, b"", b"{}", b"[]", b"null", b'{"console": 1}'):
            with self.subTest(body):
                self.assertEqual(200, self.call("POST", body=body).status)

    def test_what_is_no_json_is_refused(self) -> None:
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

    def test_a_body_that_ends_too_early_is_refused(self) -> None:
        reply = self.call(
            "POST",
            environ={"CONTENT_LENGTH": "10", "wsgi.input": io.BytesIO(b"{}")},
        )
        self.assertFault(reply, 400, "badRequest", "cannot be read")

    def test_a_body_that_a_filter_cuts_off_is_too_large(self) -> None:
        class Limited:
            def read(self, size: int = -1) -> bytes:
                raise webob.exc.HTTPRequestEntityTooLarge

        reply = self.call(
            "POST",
            environ={"CONTENT_LENGTH": "10", "wsgi.input": Limited()},
        )
        self.assertFault(reply, 413, "overLimit", "too large")


class QueryTest(DispatchCase):
    def test_the_first_value_of_a_parameter_counts(self) -> None:
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

    def test_operations_without_parameters_take_no_offence_at_any(
        self,
    ) -> None:
        for method, path, status in (
            ("POST", CONSOLES, 200),
            ("GET", f"{CONSOLES}/999", 404),
            ("DELETE", f"{CONSOLES}/999", 404),
        ):
            with self.subTest(path, method=method):
                reply = self.call(method, f"{path}?limit=x&a=b")
                self.assertEqual(status, reply.status)

    def test_an_absent_query_is_an_empty_one(self) -> None:
        environ = webob.Request.blank(
            CONSOLES, headers=base.identity()
        ).environ
        del environ["QUERY_STRING"]
        status, _headers, _body = webob.Request(environ).call_application(
            self.application
        )
        self.assertEqual("200 OK", status)
