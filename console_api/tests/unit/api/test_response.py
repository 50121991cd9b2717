# SPDX-License-Identifier: Apache-2.0
import unittest
from collections.abc import Iterable
from typing import Any

from console_api.api import response
from console_api.tests.unit import base


class ResponseTest(unittest.TestCase):
    def send(
        self, reply: response.Response, method: str = "GET"
    ) -> base.Reply:
        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            sent = reply.send(environ, start_response, [("X-More", "1")])
            self.assertTrue(environ[response.ANSWERED])
            return sent

        return base.call(application, method)

    def test_document_is_sent_with_type_and_length(self) -> None:
        reply = self.send(response.render_json({"a": "\u00e9"}, 202))
        self.assertEqual(202, reply.status)
        self.assertEqual({"a": "\u00e9"}, reply.json)
        self.assertEqual("application/json", reply.headers["Content-Type"])
        self.assertEqual(str(len(reply.body)), reply.headers["Content-Length"])
        self.assertEqual("1", reply.headers["X-More"])

    def test_empty_response_has_type(self) -> None:
        reply = self.send(response.Response(202))
        self.assertEqual(b"", reply.body)
        self.assertEqual("0", reply.headers["Content-Length"])
        self.assertEqual("application/json", reply.headers["Content-Type"])

    def test_response_without_content_has_neither_type_nor_length(
        self,
    ) -> None:
        reply = self.send(response.Response(204))
        self.assertEqual((204, b""), (reply.status, reply.body))
        self.assertEqual([("X-More", "1")], list(reply.headers.items()))

    def test_head_gets_headers_only(self) -> None:
        reply = self.send(response.Response(200, b"1234"), "HEAD")
        self.assertEqual(b"", reply.body)
        self.assertEqual("4", reply.headers["Content-Length"])

    def test_headers_of_response_are_sent(self) -> None:
        reply = self.send(response.Response(405, headers=[("Allow", "GET")]))
        self.assertEqual("GET", reply.headers["Allow"])
