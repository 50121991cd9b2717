# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest

from console_api.rfb import auth
from console_api.rfb.handshake import VENCRYPT, VNC, State
from console_api.rfb.viewer import ViewerHandshake
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
    pass_prompt,
    reason,
)

PASSWORD = "pAsSw0rd"
CORRECT = auth.respond(PASSWORD, CHALLENGE)
WRONG = auth.respond("wrong", CHALLENGE)

SUPPORTED_VERSIONS = reason("This server speaks RFB 3.3, 3.7 and 3.8.")

# What the viewer sends before its response; the security types it is offered.
VERSIONS = (
    (V3, b"\0\0\0\2"),
    (b"RFB 003.005\n", b"\0\0\0\2"),
    (b"RFB 003.889\n", b"\0\0\0\2"),
    (V7 + b"\2", b"\1\2"),
    (V8 + b"\2", b"\1\2"),
)

# Version 0.2 and X509Vnc of VeNCrypt.
X509VNC = b"\0\0\1\5"
CHOICE = b"\x13" + b"\0\2" + X509VNC


def handshake(refusal: str | None = None) -> ViewerHandshake:
    return ViewerHandshake(PASSWORD, challenge=CHALLENGE, refusal=refusal)


class ResponseTest(unittest.TestCase):
    def test_viewer_with_correct_password_is_accepted(self) -> None:
        for (begin, types), size in itertools.product(VERSIONS, SIZES):
            with self.subTest(begin, size=size):
                viewer = handshake()
                sent = feed(viewer, begin + CORRECT, size)
                self.assertEqual(V8 + types + CHALLENGE, sent)
                self.assertIs(State.DECIDE, viewer.state)
                self.assertTrue(viewer.is_authentic)
                viewer.accept()
                self.assertEqual(OK, viewer.data_to_send())
                self.assertIs(State.DONE, viewer.state)

    def test_viewer_with_wrong_password_is_refused(self) -> None:
        for begin, _ in VERSIONS:
            with self.subTest(begin):
                viewer = handshake()
                feed(viewer, begin + WRONG, 99)
                self.assertFalse(viewer.is_authentic)
                viewer.refuse("No.")
                # Only RFB 3.8 has a reason.
                expected = FAILED + (reason("No.") if b"008" in begin else b"")
                self.assertEqual(expected, viewer.data_to_send())
                self.assertIs(State.FAILED, viewer.state)

    def test_state_is_prompt_while_password_is_typed(self) -> None:
        for begin, _ in VERSIONS:
            with self.subTest(begin):
                viewer = handshake()
                viewer.receive(begin)
                self.assertIs(State.PROMPT, viewer.state)
                viewer.wait_for_response()
                self.assertIs(State.RECEIVE, viewer.state)
                viewer.receive(CORRECT)
                self.assertIs(State.DECIDE, viewer.state)

    def test_default_challenges_are_unique(self) -> None:
        viewers = [ViewerHandshake(PASSWORD) for _ in range(1000)]
        self.assertEqual(1000, len({feed(one, V3, 99) for one in viewers}))

    def test_trailing_bytes_belong_to_session(self) -> None:
        viewer = handshake()
        feed(viewer, V8 + b"\2" + CORRECT + b"\1more", 99)
        self.assertEqual(b"\1more", viewer.take_trailing())


class RefusalTest(unittest.TestCase):
    def test_other_protocol_is_refused_at_first_wrong_byte(self) -> None:
        for begin in (
            b"G",
            b"RFB 4x",
            b"RFB 003 008\n",
            b"RFB 003.00x\n",
            b"RFB 003.008\r",
            b"RFB 004.000\n",
            b"\0" * 100,
        ):
            for size in SIZES:
                with self.subTest(begin, size=size):
                    viewer = handshake()
                    sent, _ = feed_until_error(viewer, begin, size)
                    self.assertEqual(V8 + OK + SUPPORTED_VERSIONS, sent)
                    self.assertIs(State.FAILED, viewer.state)

    def test_other_security_type_is_refused(self) -> None:
        for version, chosen in itertools.product((V7, V8), (0, 1, 19, 255)):
            with self.subTest(version, chosen=chosen):
                sent, message = feed_until_error(
                    handshake(), version + bytes([chosen]), 99
                )
                expected = V8 + b"\1\2" + FAILED
                if version == V8:
                    expected += reason(
                        "Choose a security type that is offered."
                    )
                self.assertEqual(expected, sent)
                self.assertIn(str(chosen), message)

    def test_refusal_precedes_authentication(self) -> None:
        for version, types in ((V3, OK), (V7, b"\0"), (V8, b"\0")):
            with self.subTest(version):
                viewer = handshake(refusal="Later.")
                sent, _ = feed_until_error(viewer, version, 99)
                self.assertEqual(V8 + types + reason("Later."), sent)
                self.assertIs(State.FAILED, viewer.state)


class VeNCryptTest(unittest.TestCase):
    def handshake(self, *types: int) -> ViewerHandshake:
        return ViewerHandshake(
            PASSWORD, challenge=CHALLENGE, security_types=types
        )

    def test_types_are_offered_in_order(self) -> None:
        for types, expected in (
            ((VENCRYPT, VNC), b"\2\x13\2"),
            ((VENCRYPT,), b"\1\x13"),
        ):
            with self.subTest(types):
                sent = feed(self.handshake(*types), V8, 99)
                self.assertEqual(V8 + expected, sent)

    def test_authentication_follows_tls(self) -> None:
        for version, size in itertools.product((V7, V8), SIZES):
            with self.subTest(version, size=size):
                viewer = self.handshake(VENCRYPT)
                sent = feed(viewer, version + CHOICE, size)
                self.assertEqual(
                    V8 + b"\1\x13" + b"\0\2" + b"\0\1" + X509VNC + b"\1", sent
                )
                self.assertIs(State.START_TLS, viewer.state)
                viewer.tls_started()
                self.assertEqual(CHALLENGE, viewer.data_to_send())
                pass_prompt(viewer)
                feed(viewer, CORRECT, size)
                self.assertTrue(viewer.is_authentic)
                self.assertTrue(viewer.is_encrypted)

    def test_vnc_authentication_may_be_chosen_if_offered(self) -> None:
        viewer = self.handshake(VENCRYPT, VNC)
        feed(viewer, V8 + b"\2" + CORRECT, 99)
        self.assertTrue(viewer.is_authentic)
        self.assertFalse(viewer.is_encrypted)

    def test_required_tls_refuses_vnc_authentication(self) -> None:
        sent, _ = feed_until_error(self.handshake(VENCRYPT), V8 + b"\2", 99)
        refusal = FAILED + reason("Choose a security type that is offered.")
        self.assertEqual(V8 + b"\1\x13" + refusal, sent)

    def test_required_tls_refuses_rfb_3_3(self) -> None:
        sent, _ = feed_until_error(self.handshake(VENCRYPT), V3, 99)
        text = "This console requires TLS, which RFB 3.3 does not support."
        self.assertEqual(V8 + OK + reason(text), sent)

    def test_other_choices_are_refused(self) -> None:
        begin = V8 + b"\x13"
        for data, expected, message in (
            (begin + b"\0\1", b"\xff", "VeNCrypt 0.1"),
            (begin + b"\0\2" + b"\0\0\1\3", b"\0", "subtype 259"),
            (begin + b"\0\2" + X509VNC + b"\x16", b"", "before TLS"),
        ):
            with self.subTest(message):
                sent, error = feed_until_error(
                    self.handshake(VENCRYPT), data, 99
                )
                self.assertTrue(sent.endswith(expected))
                self.assertIn(message, error)


class MisuseTest(unittest.TestCase):
    def test_decision_before_response_is_refused(self) -> None:
        viewer = handshake()
        with self.assertRaisesRegex(RuntimeError, "not in State.DECIDE"):
            viewer.accept()
        with self.assertRaisesRegex(RuntimeError, "not in State.DECIDE"):
            viewer.refuse("No.")

    def test_accept_with_wrong_password_is_refused(self) -> None:
        viewer = handshake()
        feed(viewer, V8 + b"\2" + WRONG, 99)
        with self.assertRaisesRegex(RuntimeError, "has not authenticated"):
            viewer.accept()

    def test_receive_after_response_is_refused(self) -> None:
        viewer = handshake()
        feed(viewer, V8 + b"\2" + CORRECT, 99)
        with self.assertRaisesRegex(RuntimeError, "State.DECIDE"):
            viewer.receive(b"\1")
