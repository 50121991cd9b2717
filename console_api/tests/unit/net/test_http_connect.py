# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest

from console_api.net.http_connect import ConnectHandshake
from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import State
from console_api.tests.unit.rfb.base import SIZES, feed, feed_until_error


class RequestTest(unittest.TestCase):
    def test_request_names_path_and_host(self) -> None:
        for host, expected in (
            ("192.0.2.1", b"Host: 192.0.2.1:443\r\n"),
            ("2001:db8::1", b"Host: [2001:db8::1]:443\r\n"),
        ):
            with self.subTest(host):
                handshake = ConnectHandshake(host, 443, "/console?ref=1")
                self.assertEqual(
                    b"CONNECT /console?ref=1 HTTP/1.1\r\n"
                    + expected
                    + b"\r\n",
                    handshake.data_to_send(),
                )

    def test_invalid_path_is_refused(self) -> None:
        for path in ("", "/a b", "/a\r\nX: y", "/\x00", "/ä"):
            with self.subTest(path), self.assertRaises(HandshakeError):
                ConnectHandshake("host", 1, path)


class ResponseTest(unittest.TestCase):
    def test_success_ends_handshake(self) -> None:
        for head, size in itertools.product(
            (b"HTTP/1.1 200 OK\r\nX: y", b"HTTP/1.0 200", b"HTTP/1.1 204 "),
            SIZES,
        ):
            with self.subTest(head, size=size):
                handshake = ConnectHandshake("host", 1, "/")
                feed(handshake, head + b"\r\n\r\n", size)
                self.assertIs(State.DONE, handshake.state)

    def test_trailing_bytes_belong_to_display(self) -> None:
        handshake = ConnectHandshake("host", 1, "/")
        feed(handshake, b"HTTP/1.1 200\r\n\r\nRFB", 99)
        self.assertEqual(b"RFB", handshake.take_trailing())

    def test_error_names_its_cause(self) -> None:
        for data, expected in (
            (b"HTTP/1.1 404 secret\r\n\r\n", "HTTP status 404"),
            (b"HTTP/1.1 302 Found\r\n\r\n", "HTTP status 302"),
            (b"RFB 003.008\n\r\n\r\n", "does not speak HTTP"),
            (b"HTTP/1.1 200\r\n" + b"x" * 10_000, "too long"),
        ):
            for size in SIZES:
                with self.subTest(expected, size=size):
                    _, message = feed_until_error(
                        ConnectHandshake("host", 1, "/"), data, size
                    )
                    self.assertIn(expected, message)
                    self.assertNotIn("secret", message)
