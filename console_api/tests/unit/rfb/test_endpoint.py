# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest

from console_api.rfb import auth
from console_api.rfb.endpoint import (
    Credentials,
    EndpointHandshake,
    NoTLSError,
    TLSUse,
)
from console_api.rfb.errors import HandshakeError
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
    (V3 + b"\0\0\0\5", None, "only security type [5]."),
    (V8 + b"\1\2", None, "requires a VNC password"),
    (V8 + b"\2\5\6", PASSWORD, "only security types [5, 6]"),
    (V8 + b"\1\x13", PASSWORD, "only security types [19]"),
    (V8 + b"\1\x14", PASSWORD, "SASL, which is not supported"),
    (V8 + b"\1\2" + CHALLENGE + FAILED + reason("No."), PASSWORD, "'No.'"),
    (V7 + b"\1\2" + CHALLENGE + FAILED, PASSWORD, "refused the connection."),
    (V8 + b"\1\1" + FAILED + reason("\0\x1b[2J"), None, "'\\x00\\x1b[2J'"),
)


def handshake(
    password: str | None = None,
    login: tuple[str, str] | None = None,
    *,
    tls: TLSUse = TLSUse.NEVER,
) -> EndpointHandshake:
    return EndpointHandshake(Credentials(password, login), tls)


class EndpointHandshakeTest(unittest.TestCase):
    def test_display_is_entered(self) -> None:
        for (received, password, expected), size in itertools.product(
            CONVERSATIONS, SIZES
        ):
            with self.subTest(received, size=size):
                endpoint = handshake(password)
                self.assertEqual(expected, feed(endpoint, received, size))
                self.assertIs(State.DONE, endpoint.state)
                self.assertEqual(b"", endpoint.take_trailing())

    def test_error_names_its_cause(self) -> None:
        for (received, password, expected), size in itertools.product(
            ERRORS, SIZES
        ):
            with self.subTest(received, size=size):
                endpoint = handshake(password)
                _, message = feed_until_error(endpoint, received, size)
                self.assertIs(State.FAILED, endpoint.state)
                self.assertIn(expected, message)
                self.assertNotIn(PASSWORD, message)

    def test_trailing_bytes_belong_to_session(self) -> None:
        endpoint = handshake()
        feed(endpoint, V8 + b"\1\1" + OK + b"more", 99)
        self.assertEqual(b"more", endpoint.take_trailing())

    def test_receive_after_end_is_refused(self) -> None:
        endpoint = handshake()
        feed(endpoint, V3 + b"\0\0\0\1", 99)
        with self.assertRaisesRegex(RuntimeError, "State.DONE"):
            endpoint.receive(b"more")


def subtypes(*numbers: int) -> bytes:
    return bytes([len(numbers)]) + b"".join(
        number.to_bytes(4, "big") for number in numbers
    )


LOGIN = ("user", "pässword")
SENT_LOGIN = b"\0\0\0\4\0\0\0\x09" + b"user" + "pässword".encode()

# Version, security types, version of VeNCrypt, acknowledgement.
BEGIN = V8 + b"\2\1\x13" + b"\0\2" + b"\0"
SENT = V8 + b"\x13" + b"\0\2"

# What the display has, without an alternative to VeNCrypt.
ONLY = V8 + b"\1\x13" + b"\0\2" + b"\0"


class VeNCryptTest(unittest.TestCase):
    def test_tls_is_started(self) -> None:
        none, vnc, plain = b"\0\0\1\4", b"\0\0\1\5", b"\0\0\1\6"
        both = {"password": PASSWORD, "login": LOGIN}
        for offered, known, chosen, inside, answer in (
            (subtypes(260), {}, none, OK, b""),
            (subtypes(257, 260, 261), {}, none, OK, b""),
            (
                subtypes(260, 261),
                {"password": PASSWORD},
                vnc,
                CHALLENGE + OK,
                RESPONSE,
            ),
            (subtypes(260, 262), both, plain, OK, SENT_LOGIN),
            (subtypes(2, 258, 261), both, vnc, CHALLENGE + OK, RESPONSE),
            (subtypes(1, 260), both, none, OK, b""),
        ):
            for size, tls in itertools.product(
                SIZES, (TLSUse.OPTIONAL, TLSUse.REQUIRED)
            ):
                with self.subTest(offered, known=known, size=size, tls=tls):
                    endpoint = EndpointHandshake(Credentials(**known), tls)
                    sent = feed(endpoint, BEGIN + offered + b"\1", size)
                    self.assertEqual(SENT + chosen, sent)
                    self.assertIs(State.START_TLS, endpoint.state)
                    endpoint.tls_started()
                    self.assertEqual(answer, feed(endpoint, inside, size))
                    self.assertIs(State.DONE, endpoint.state)

    def test_types_without_tls_are_subtypes_too(self) -> None:
        """TigerVNC lists them by default; they are not acknowledged."""
        for offered, inside, answer in (
            (subtypes(258, 2), CHALLENGE + OK, b"\0\0\0\2" + RESPONSE),
            (subtypes(257, 1), OK, b"\0\0\0\1"),
        ):
            for size in SIZES:
                with self.subTest(offered, size=size):
                    endpoint = handshake(PASSWORD, tls=TLSUse.OPTIONAL)
                    sent = feed(endpoint, BEGIN + offered + inside, size)
                    self.assertEqual(SENT + answer, sent)
                    self.assertIs(State.DONE, endpoint.state)

    def test_error_names_its_cause(self) -> None:
        for received, expected in (
            (V8 + b"\1\x13\0\1", "speaks VeNCrypt 0.1"),
            (V8 + b"\1\x13\0\2\1", "refused VeNCrypt 0.2"),
            (ONLY + b"\0", "only VeNCrypt subtypes []"),
            (
                ONLY + subtypes(256, 257, 258),
                "subtypes [256, 257, 258]. Configure a certificate",
            ),
            (ONLY + subtypes(261), "requires a VNC password"),
            (ONLY + subtypes(2, 258), "requires a VNC password"),
            (ONLY + subtypes(262), "requires a user name and password"),
            (ONLY + subtypes(263), "SASL, which is not supported"),
            (ONLY + subtypes(264), "SASL, which is not supported"),
            (ONLY + subtypes(260) + b"\0", "refused to start TLS"),
        ):
            for size in SIZES:
                with self.subTest(expected, size=size):
                    endpoint = handshake(tls=TLSUse.OPTIONAL)
                    _, message = feed_until_error(endpoint, received, size)
                    self.assertIn(expected, message)

    def test_retry_without_tls_is_suggested_if_it_may_succeed(self) -> None:
        for tls, begin, password, expected in (
            (TLSUse.OPTIONAL, BEGIN, None, True),
            (TLSUse.OPTIONAL, V8 + b"\2\2\x13\0\2\0", PASSWORD, True),
            (TLSUse.OPTIONAL, V8 + b"\2\2\x13\0\2\0", None, False),
            (TLSUse.OPTIONAL, ONLY, PASSWORD, False),
            (TLSUse.REQUIRED, BEGIN, PASSWORD, False),
        ):
            with self.subTest(tls=tls, begin=begin, password=password):
                endpoint = handshake(password, tls=tls)
                with self.assertRaises(HandshakeError) as raised:
                    feed(endpoint, begin + subtypes(257), 99)
                self.assertEqual(
                    expected, isinstance(raised.exception, NoTLSError)
                )

    def test_data_before_tls_is_refused(self) -> None:
        endpoint = handshake(tls=TLSUse.OPTIONAL)
        received = BEGIN + subtypes(260) + b"\1" + OK
        _, message = feed_until_error(endpoint, received, 99)
        self.assertIn("before TLS started", message)

    def test_tls_started_without_request_is_refused(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "not in State.START_TLS"):
            handshake(tls=TLSUse.OPTIONAL).tls_started()


class RequiredTLSTest(unittest.TestCase):
    def test_display_without_tls_gets_no_response(self) -> None:
        for received, sent, expected in (
            (V3 + b"\0\0\0\1", V3, "only security type [1]. TLS is"),
            (V3 + b"\0\0\0\2" + CHALLENGE, V3, "security type [2]. TLS is"),
            (V7 + b"\1\2", V7, "only security types [2]. TLS is required"),
            (V8 + b"\2\1\2", V8, "only security types [1, 2]. TLS is"),
            (
                BEGIN + subtypes(258, 2),
                SENT,
                "only VeNCrypt subtypes [258, 2]. TLS is required",
            ),
            (BEGIN + subtypes(1), SENT, "VeNCrypt subtypes [1]. TLS is"),
        ):
            with self.subTest(received):
                endpoint = handshake(PASSWORD, tls=TLSUse.REQUIRED)
                actual, message = feed_until_error(endpoint, received, 99)
                self.assertEqual(sent, actual)
                self.assertIn(expected, message)
                self.assertIn("[vnc] endpoint_tls_required", message)
