# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest
from collections.abc import Callable

from console_api.rfb import auth
from console_api.rfb.viewer import ViewerHandshake, ViewerState
from console_api.tests.unit.rfb.base import (
    CHALLENGE,
    PIECES,
    fail,
    feed,
    reason,
)

PASSWORD = "pAsSw0rd"
RIGHT = auth.respond(PASSWORD, CHALLENGE)
WRONG = auth.respond("wrong", CHALLENGE)

HELLO = b"RFB 003.008\n"
OK = b"\0\0\0\0"
FAILED = b"\0\0\0\1"
SPEAKS = reason("This server speaks RFB 3.3, 3.7 and 3.8.")

# Version of the viewer: what it sends up to the challenge, what it gets.
VERSIONS = (
    (b"RFB 003.003\n", b"\0\0\0\2"),
    (b"RFB 003.005\n", b"\0\0\0\2"),
    (b"RFB 003.889\n", b"\0\0\0\2"),
    (b"RFB 003.007\n\2", b"\1\2"),
    (b"RFB 003.008\n\2", b"\1\2"),
)


def handshake(refusal: str | None = None) -> ViewerHandshake:
    return ViewerHandshake(PASSWORD, challenge=CHALLENGE, refusal=refusal)


class PasswordTest(unittest.TestCase):
    def test_the_right_password_lets_every_version_in(self) -> None:
        for (begin, types), size in itertools.product(VERSIONS, PIECES):
            with self.subTest(begin, size=size):
                viewer = handshake()
                sent = feed(viewer, begin + RIGHT, size)
                self.assertEqual(HELLO + types + CHALLENGE, sent)
                self.assertIs(ViewerState.ANSWERED, viewer.state)
                self.assertTrue(viewer.authentic)
                viewer.accept()
                self.assertEqual(OK, viewer.data_to_send())
                self.assertIs(ViewerState.DONE, viewer.state)

    def test_the_wrong_one_does_not_and_says_why_if_it_can(self) -> None:
        for begin, _ in VERSIONS:
            with self.subTest(begin):
                viewer = handshake()
                feed(viewer, begin + WRONG, 99)
                self.assertFalse(viewer.authentic)
                viewer.refuse("No.")
                told = reason("No.") if b"008" in begin else b""
                self.assertEqual(FAILED + told, viewer.data_to_send())
                self.assertIs(ViewerState.REFUSED, viewer.state)

    def test_what_is_sent_ahead_belongs_to_the_session(self) -> None:
        viewer = handshake()
        feed(viewer, b"RFB 003.008\n\2" + RIGHT + b"\1more", 99)
        self.assertEqual(b"\1more", viewer.trailing)


class RefusalTest(unittest.TestCase):
    def test_what_is_no_version_is_refused_at_once(self) -> None:
        for begin in (
            b"G",
            b"RFB 4x",
            b"RFB 003 008\n",
            b"RFB 003.00x\n",
            b"RFB 003.008\r",
            b"RFB 004.000\n",
            b"\0" * 100,
        ):
            for size in PIECES:
                with self.subTest(begin, size=size):
                    viewer = handshake()
                    sent, _ = fail(viewer, begin, size)
                    self.assertEqual(HELLO + b"\0\0\0\0" + SPEAKS, sent)
                    self.assertIs(ViewerState.REFUSED, viewer.state)

    def test_another_security_type_is_refused(self) -> None:
        for version, chosen in itertools.product(
            (b"RFB 003.007\n", b"RFB 003.008\n"), (0, 1, 19, 255)
        ):
            with self.subTest(version, chosen=chosen):
                sent, said = fail(handshake(), version + bytes([chosen]), 99)
                told = FAILED
                if b"008" in version:
                    told += reason("Choose VNC authentication.")
                self.assertEqual(HELLO + b"\1\2" + told, sent)
                self.assertIn(str(chosen), said)

    def test_nobody_is_let_in_while_the_console_is_locked(self) -> None:
        for version, count in (
            (b"RFB 003.003\n", b"\0\0\0\0"),
            (b"RFB 003.007\n", b"\0"),
            (b"RFB 003.008\n", b"\0"),
        ):
            with self.subTest(version):
                viewer = handshake(refusal="Later.")
                sent = feed(viewer, version, 99)
                self.assertEqual(HELLO + count + reason("Later."), sent)
                self.assertIs(ViewerState.REFUSED, viewer.state)


class MisuseTest(unittest.TestCase):
    def test_nothing_is_answered_before_the_response(self) -> None:
        calls: tuple[Callable[[ViewerHandshake], object], ...] = (
            lambda viewer: viewer.accept(),
            lambda viewer: viewer.refuse("No."),
        )
        for call in calls:
            with self.assertRaisesRegex(RuntimeError, "nothing to answer"):
                call(handshake())

    def test_nobody_is_let_in_with_a_wrong_password(self) -> None:
        viewer = handshake()
        feed(viewer, b"RFB 003.008\n\2" + WRONG, 99)
        with self.assertRaisesRegex(RuntimeError, "password was wrong"):
            viewer.accept()

    def test_nothing_is_received_after_it(self) -> None:
        viewer = handshake()
        feed(viewer, b"RFB 003.008\n\2" + RIGHT, 99)
        with self.assertRaisesRegex(RuntimeError, "expects nothing"):
            viewer.receive(b"\1")
