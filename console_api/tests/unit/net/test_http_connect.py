# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest

from console_api.net.http_connect import ConnectResponse, connect_request
from console_api.rfb.errors import HandshakeError
from console_api.tests.unit.rfb.base import SIZES


class RequestTest(unittest.TestCase):
    def test_the_path_and_the_host_are_named(self) -> None:
        for host, expected in (
            ("192.0.2.1", b"Host: 192.0.2.1:443\r\n"),
            ("2001:db8::1", b"Host: [2001:db8::1]:443\r\n"),
        ):
            with self.subTest(host):
                self.assertEqual(
                    b"CONNECT /console?ref=1 HTTP/1.1\r\n"
                    + expected
                    + b"\r\n",
                    connect_request(host, 443, "/console?ref=1"),
                )

    def test_a_path_that_is_none_is_refused(self) -> None:
        for path in ("", "/a b", "/a\r\nX: y", "/\x00", "/ä"):
            with self.subTest(path), self.assertRaises(HandshakeError):
                connect_request("host", 1, path)


class ResponseTest(unittest.TestCase):
    def feed(self, data: bytes, size: int) -> ConnectResponse:
        response = ConnectResponse()
        for start in range(0, len(data), size):
            response.receive(data[start : start + size])
            if response.done:
                response.trailing += data[start + size :]
                break
        return response

    def test_an_answer_lets_us_through(self) -> None:
        for head, size in itertools.product(
            (b"HTTP/1.1 200 OK\r\nX: y", b"HTTP/1.0 200", b"HTTP/1.1 204 "),
            SIZES,
        ):
            with self.subTest(head, size=size):
                response = self.feed(head + b"\r\n\r\nRFB", size)
                self.assertTrue(response.done)
                self.assertEqual(b"RFB", response.trailing)

    def test_any_other_does_not(self) -> None:
        for data, expected in (
            (b"HTTP/1.1 404 secret\r\n\r\n", "HTTP status 404"),
            (b"HTTP/1.1 302 Found\r\n\r\n", "HTTP status 302"),
            (b"RFB 003.008\n\r\n\r\n", "does not speak HTTP"),
            (b"HTTP/1.1 200\r\n" + b"x" * 10_000, "has no end"),
        ):
            for size in SIZES:
                with (
                    self.subTest(expected, size=size),
                    self.assertRaisesRegex(HandshakeError, expected) as caught,
                ):
                    self.feed(data, size)
                self.assertNotIn("secret", str(caught.exception))
