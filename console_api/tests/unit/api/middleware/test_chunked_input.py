# SPDX-License-Identifier: Apache-2.0
import io
import unittest
from typing import Any

import webob

from console_api.api.middleware.chunked_input import ChunkedInputFilter
from console_api.tests.unit import base


class ChunkedInputFilterTest(unittest.TestCase):
    def body(self, chunks: list[bytes], **environ: Any) -> bytes:
        """Return what the application reads."""
        left = iter(chunks)

        def application(environ: Any, start_response: Any) -> Any:
            body = webob.Request(environ).body
            return webob.Response(body)(environ, start_response)

        filtered = ChunkedInputFilter(application, lambda: next(left, b""))
        return base.call(filtered, "POST", "/", environ=environ).body

    def test_chunked_body_is_read_to_its_end(self) -> None:
        for chunks in ([], [b"a"], [b"a", b"bc"], [b"a" * 100_000, b"b"]):
            with self.subTest(len(chunks)):
                self.assertEqual(
                    b"".join(chunks),
                    self.body(chunks, HTTP_TRANSFER_ENCODING="Chunked"),
                )

    def test_other_bodies_are_unchanged(self) -> None:
        environ = {"CONTENT_LENGTH": "2", "wsgi.input": io.BytesIO(b"{}")}
        self.assertEqual(b"{}", self.body([b"chunk"], **environ))

    def test_incomplete_body_raises(self) -> None:
        def read_chunk() -> bytes:
            raise OSError("unable to receive chunked part")

        environ = {"HTTP_TRANSFER_ENCODING": "chunked"}
        filtered = ChunkedInputFilter(
            lambda environ, _: [environ["wsgi.input"].read()], read_chunk
        )
        with self.assertRaises(OSError):
            filtered(environ, lambda *_: lambda _: None)
