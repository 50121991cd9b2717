# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import State
from console_api.rfb.initialization import Initialization
from console_api.tests.unit.rfb import base
from console_api.tests.unit.rfb.messages import samples


class InitializationTest(unittest.TestCase):
    def test_server_init(self) -> None:
        for size in base.SIZES:
            with self.subTest(size=size):
                handshake = Initialization(b"\1")
                self.assertEqual(
                    b"\1", base.feed(handshake, samples.SERVER_INIT, size)
                )
                self.assertIs(State.DONE, handshake.state)
                self.assertEqual(
                    (samples.WIDTH, samples.HEIGHT), handshake.size
                )

    def test_trailing_data_is_kept(self) -> None:
        handshake = Initialization(b"\1")
        handshake.receive(samples.SERVER_INIT + b"more")
        self.assertEqual(b"more", handshake.take_trailing())

    def test_long_name_is_refused(self) -> None:
        handshake = Initialization(b"\1")
        with self.assertRaisesRegex(HandshakeError, "long name"):
            handshake.receive(samples.SERVER_INIT[:20] + b"\0\1\0\0")
