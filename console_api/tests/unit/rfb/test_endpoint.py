# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest

from console_api.rfb import auth
from console_api.rfb.endpoint import EndpointHandshake, EndpointState
from console_api.tests.unit.rfb.base import (
    CHALLENGE,
    PIECES,
    fail,
    feed,
    reason,
)

PASSWORD = "s3cret"
RESPONSE = auth.respond(PASSWORD, CHALLENGE)

OK = b"\0\0\0\0"
FAILED = b"\0\0\0\1"

V3, V7, V8 = b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"

# What the server sends; password; what we send.
CONVERSATIONS = (
    (V3 + b"\0\0\0\1", None, V3),
    (V7 + b"\1\1", None, V7 + b"\1"),
    (V8 + b"\1\1" + OK, None, V8 + b"\1"),
    (V3 + b"\0\0\0\2" + CHALLENGE + OK, PASSWORD, V3 + RESPONSE),
    (V7 + b"\1\2" + CHALLENGE + OK, PASSWORD, V7 + b"\2" + RESPONSE),
    (V8 + b"\1\2" + CHALLENGE + OK, PASSWORD, V8 + b"\2" + RESPONSE),
    # Both offered: the password is used if there is one.
    (V8 + b"\2\1\2" + CHALLENGE + OK, PASSWORD, V8 + b"\2" + RESPONSE),
    (V8 + b"\2\2\1" + OK, None, V8 + b"\1"),
    # A password that is not asked for does no harm.
    (V8 + b"\3\5\1\6" + OK, PASSWORD, V8 + b"\1"),
    # Others' own numbers.
    (b"RFB 003.889\n\1\1" + OK, None, V8 + b"\1"),
    (b"RFB 004.001\n\1\1" + OK, None, V8 + b"\1"),
    (b"RFB 005.000\n\1\1" + OK, None, V8 + b"\1"),
    (b"RFB 003.005\n\0\0\0\1", None, V3),
)

# What the server sends; password; what is said of it.
REFUSALS = (
    (b"HTTP/1.1 400", None, "does not speak RFB"),
    (b"RFB 002.000\n", None, "speaks RFB 2.0"),
    (V8 + b"\0" + reason("Too many."), None, "refuses: 'Too many.'"),
    (V3 + b"\0\0\0\0" + reason("Too many."), None, "refuses: 'Too many.'"),
    (V8 + b"\0\0\0\0\0", None, "refuses"),
    (V8 + b"\0\xff\xff\xff\xff", None, "refuses"),
    (V3 + b"\0\0\0\2", None, "asks for a VNC password"),
    (V3 + b"\0\0\0\5", None, "security type 5"),
    (V8 + b"\1\2", None, "asks for a VNC password"),
    (V8 + b"\2\5\6", PASSWORD, "only security types [5, 6]"),
    (V8 + b"\1\x13", PASSWORD, "only security types [19]"),
    (V8 + b"\1\2" + CHALLENGE + FAILED + reason("No."), PASSWORD, "'No.'"),
    (V7 + b"\1\2" + CHALLENGE + FAILED, PASSWORD, "refuses"),
    (V8 + b"\1\1" + FAILED + reason("\0\x1b[2J"), None, "'\\x00\\x1b[2J'"),
)


class ConversationTest(unittest.TestCase):
    def test_each_way_in(self) -> None:
        for (received, password, expected), size in itertools.product(
            CONVERSATIONS, PIECES
        ):
            with self.subTest(received, size=size):
                endpoint = EndpointHandshake(password)
                self.assertEqual(expected, feed(endpoint, received, size))
                self.assertIs(EndpointState.DONE, endpoint.state)
                self.assertEqual(b"", endpoint.trailing)

    def test_each_refusal_says_why(self) -> None:
        for (received, password, expected), size in itertools.product(
            REFUSALS, PIECES
        ):
            with self.subTest(received, size=size):
                _, said = fail(EndpointHandshake(password), received, size)
                self.assertIn(expected, said)
                self.assertNotIn(PASSWORD, said)

    def test_what_comes_behind_belongs_to_the_session(self) -> None:
        endpoint = EndpointHandshake(None)
        feed(endpoint, V8 + b"\1\1" + OK + b"more", 99)
        self.assertEqual(b"more", endpoint.trailing)

    def test_nothing_is_received_after_it(self) -> None:
        endpoint = EndpointHandshake(None)
        feed(endpoint, V3 + b"\0\0\0\1", 99)
        with self.assertRaisesRegex(RuntimeError, "expects nothing"):
            endpoint.receive(b"more")


def subtypes(*numbers: int) -> bytes:
    return bytes([len(numbers)]) + b"".join(
        number.to_bytes(4, "big") for number in numbers
    )


# Version, choice of VeNCrypt, its version, agreement.
BEGIN = V8 + b"\2\1\x13" + b"\0\2" + b"\0"
SENT = V8 + b"\x13" + b"\0\2"


class VeNCryptTest(unittest.TestCase):
    def test_each_way_into_tls(self) -> None:
        none, vnc = b"\0\0\1\4", b"\0\0\1\5"
        for offered, password, chosen, inside, answer in (
            (subtypes(260), None, none, OK, b""),
            (subtypes(257, 260, 261), None, none, OK, b""),
            (subtypes(260, 261), PASSWORD, vnc, CHALLENGE + OK, RESPONSE),
            (subtypes(260), PASSWORD, none, OK, b""),
        ):
            for size in PIECES:
                with self.subTest(offered, password=password, size=size):
                    endpoint = EndpointHandshake(password, tls=True)
                    sent = feed(endpoint, BEGIN + offered + b"\1", size)
                    self.assertEqual(SENT + chosen, sent)
                    self.assertIs(EndpointState.START_TLS, endpoint.state)
                    endpoint.tls_started()
                    self.assertEqual(answer, feed(endpoint, inside, size))
                    self.assertIs(EndpointState.DONE, endpoint.state)

    def test_each_refusal_says_why(self) -> None:
        for received, expected in (
            (V8 + b"\1\x13\0\1", "speaks VeNCrypt 0.1"),
            (V8 + b"\1\x13\0\2\1", "does not agree to VeNCrypt"),
            (BEGIN + b"\0", "offers no subtype"),
            (BEGIN + subtypes(256, 257, 258), "only subtypes [256, 257, 258]"),
            (BEGIN + subtypes(261), "asks for a VNC password"),
            (BEGIN + subtypes(260) + b"\0", "does not agree to use TLS"),
        ):
            for size in PIECES:
                with self.subTest(expected, size=size):
                    endpoint = EndpointHandshake(None, tls=True)
                    self.assertIn(expected, fail(endpoint, received, size)[1])

    def test_nothing_gets_into_tls_that_came_before_it(self) -> None:
        endpoint = EndpointHandshake(None, tls=True)
        received = BEGIN + subtypes(260) + b"\1" + OK
        self.assertIn("before TLS", fail(endpoint, received, 99)[1])

    def test_tls_does_not_start_unasked(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "not awaited"):
            EndpointHandshake(None, tls=True).tls_started()
