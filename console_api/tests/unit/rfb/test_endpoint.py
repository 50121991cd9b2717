# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest

from console_api.rfb import auth
from console_api.rfb.endpoint import EndpointHandshake
from console_api.rfb.handshake import State
from console_api.tests.unit.rfb.base import (
    CHALLENGE,
    FAILED,
    OK,
    SIZES,
    V3,
    V7,
    V8,
    feed,
    feed_until_error,
    reason,
)

PASSWORD = "s3cret"
RESPONSE = auth.respond(PASSWORD, CHALLENGE)

# What the display sends; the password; what we send.
CONVERSATIONS = (
    (V3 + b"\0\0\0\1", None, V3),
    (V7 + b"\1\1", None, V7 + b"\1"),
    (V8 + b"\1\1" + OK, None, V8 + b"\1"),
    (V3 + b"\0\0\0\2" + CHALLENGE + OK, PASSWORD, V3 + RESPONSE),
    (V7 + b"\1\2" + CHALLENGE + OK, PASSWORD, V7 + b"\2" + RESPONSE),
    (V8 + b"\1\2" + CHALLENGE + OK, PASSWORD, V8 + b"\2" + RESPONSE),
    # Both are offered: a password is used if there is one.
    (V8 + b"\2\1\2" + CHALLENGE + OK, PASSWORD, V8 + b"\2" + RESPONSE),
    (V8 + b"\2\2\1" + OK, None, V8 + b"\1"),
    # A password that is not required is not sent.
    (V8 + b"\3\5\1\6" + OK, PASSWORD, V8 + b"\1"),
    # Versions that the RFC does not define.
    (b"RFB 003.889\n\1\1" + OK, None, V8 + b"\1"),
    (b"RFB 004.001\n\1\1" + OK, None, V8 + b"\1"),
    (b"RFB 005.000\n\1\1" + OK, None, V8 + b"\1"),
    (b"RFB 003.005\n\0\0\0\1", None, V3),
)

# What the display sends; the password; part of the error.
ERRORS = (
    (b"HTTP/1.1 400", None, "does not speak RFB"),
    (b"RFB 002.000\n", None, "speaks RFB 2.0"),
    (V8 + b"\0" + reason("Too many."), None, "refused the connection: 'Too m"),
    (V3 + OK + reason("Too many."), None, "refused the connection: 'Too m"),
    (V8 + b"\0\0\0\0\0", None, "refused the connection."),
    (V8 + b"\0\xff\xff\xff\xff", None, "refused the connection."),
    (V3 + b"\0\0\0\2", None, "requires a VNC password"),
    (V3 + b"\0\0\0\5", None, "requires security type 5"),
    (V8 + b"\1\2", None, "requires a VNC password"),
    (V8 + b"\2\5\6", PASSWORD, "only security types [5, 6]"),
    (V8 + b"\1\x13", PASSWORD, "only security types [19]"),
    (V8 + b"\1\2" + CHALLENGE + FAILED + reason("No."), PASSWORD, "'No.'"),
    (V7 + b"\1\2" + CHALLENGE + FAILED, PASSWORD, "refused the connection."),
    (V8 + b"\1\1" + FAILED + reason("\0\x1b[2J"), None, "'\\x00\\x1b[2J'"),
)


class EndpointHandshakeTest(unittest.TestCase):
    def test_display_is_entered(self) -> None:
        for (received, password, expected), size in itertools.product(
            CONVERSATIONS, SIZES
        ):
            with self.subTest(received, size=size):
                endpoint = EndpointHandshake(password)
                self.assertEqual(expected, feed(endpoint, received, size))
                self.assertIs(State.DONE, endpoint.state)
                self.assertEqual(b"", endpoint.take_trailing())

    def test_error_names_its_cause(self) -> None:
        for (received, password, expected), size in itertools.product(
            ERRORS, SIZES
        ):
            with self.subTest(received, size=size):
                endpoint = EndpointHandshake(password)
                _, message = feed_until_error(endpoint, received, size)
                self.assertIs(State.FAILED, endpoint.state)
                self.assertIn(expected, message)
                self.assertNotIn(PASSWORD, message)

    def test_trailing_bytes_belong_to_session(self) -> None:
        endpoint = EndpointHandshake(None)
        feed(endpoint, V8 + b"\1\1" + OK + b"more", 99)
        self.assertEqual(b"more", endpoint.take_trailing())

    def test_receive_after_end_is_refused(self) -> None:
        endpoint = EndpointHandshake(None)
        feed(endpoint, V3 + b"\0\0\0\1", 99)
        with self.assertRaisesRegex(RuntimeError, "State.DONE"):
            endpoint.receive(b"more")


def subtypes(*numbers: int) -> bytes:
    return bytes([len(numbers)]) + b"".join(
        number.to_bytes(4, "big") for number in numbers
    )


# Version, security types, version of VeNCrypt, acknowledgement.
BEGIN = V8 + b"\2\1\x13" + b"\0\2" + b"\0"
SENT = V8 + b"\x13" + b"\0\2"


class VeNCryptTest(unittest.TestCase):
    def test_tls_is_started(self) -> None:
        none, vnc = b"\0\0\1\4", b"\0\0\1\5"
        for offered, password, chosen, inside, answer in (
            (subtypes(260), None, none, OK, b""),
            (subtypes(257, 260, 261), None, none, OK, b""),
            (subtypes(260, 261), PASSWORD, vnc, CHALLENGE + OK, RESPONSE),
            (subtypes(260), PASSWORD, none, OK, b""),
        ):
            for size in SIZES:
                with self.subTest(offered, password=password, size=size):
                    endpoint = EndpointHandshake(password, tls=True)
                    sent = feed(endpoint, BEGIN + offered + b"\1", size)
                    self.assertEqual(SENT + chosen, sent)
                    self.assertIs(State.START_TLS, endpoint.state)
                    endpoint.tls_started()
                    self.assertEqual(answer, feed(endpoint, inside, size))
                    self.assertIs(State.DONE, endpoint.state)

    def test_error_names_its_cause(self) -> None:
        for received, expected in (
            (V8 + b"\1\x13\0\1", "speaks VeNCrypt 0.1"),
            (V8 + b"\1\x13\0\2\1", "refused VeNCrypt 0.2"),
            (BEGIN + b"\0", "only VeNCrypt subtypes []"),
            (BEGIN + subtypes(256, 257, 258), "subtypes [256, 257, 258]"),
            (BEGIN + subtypes(261), "requires a VNC password"),
            (BEGIN + subtypes(260) + b"\0", "refused to start TLS"),
        ):
            for size in SIZES:
                with self.subTest(expected, size=size):
                    endpoint = EndpointHandshake(None, tls=True)
                    _, message = feed_until_error(endpoint, received, size)
                    self.assertIn(expected, message)

    def test_data_before_tls_is_refused(self) -> None:
        endpoint = EndpointHandshake(None, tls=True)
        received = BEGIN + subtypes(260) + b"\1" + OK
        _, message = feed_until_error(endpoint, received, 99)
        self.assertIn("before TLS started", message)

    def test_tls_started_without_request_is_refused(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "not in State.START_TLS"):
            EndpointHandshake(None, tls=True).tls_started()
