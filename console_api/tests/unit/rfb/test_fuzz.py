# SPDX-License-Identifier: Apache-2.0
"""Random input makes a handshake proceed or raise ``HandshakeError``."""

import random
import unittest
from collections.abc import Callable, Iterable

from console_api.rfb.browser import BrowserHandshake
from console_api.rfb.endpoint import (
    Credentials,
    EndpointHandshake,
    TLSUse,
)
from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import Handshake, State
from console_api.rfb.viewer import ViewerHandshake
from console_api.tests.unit.rfb import test_browser, test_endpoint, test_viewer
from console_api.tests.unit.rfb.base import V8, pass_prompt

PASSWORD = "pAsSw0rd"

CONVERSATION_COUNT = 4000

# The longest message, and the longest piece that is fed.
_MAX_BUFFERED = 1024 + 64

SEEDS = (
    *(
        begin + test_viewer.CORRECT + b"\1"
        for begin, _ in test_viewer.VERSIONS
    ),
    V8 + test_viewer.CHOICE,
    *(begin + b"\1" for begin, _ in test_browser.VERSIONS),
    *(received for received, *_ in test_endpoint.CONVERSATIONS),
    test_endpoint.BEGIN + test_endpoint.subtypes(257, 260, 261, 262) + b"\1",
)

FACTORIES: tuple[Callable[[], Handshake], ...] = (
    lambda: ViewerHandshake(PASSWORD),
    lambda: ViewerHandshake(PASSWORD, security_types=(19, 2)),
    BrowserHandshake,
    lambda: BrowserHandshake("Later."),
    lambda: EndpointHandshake(Credentials(), TLSUse.NEVER),
    lambda: EndpointHandshake(Credentials(PASSWORD), TLSUse.NEVER),
    lambda: EndpointHandshake(Credentials(PASSWORD), TLSUse.OPTIONAL),
    lambda: EndpointHandshake(
        Credentials(login=("user", PASSWORD)), TLSUse.REQUIRED
    ),
)


def conversations(source: random.Random) -> Iterable[bytes]:
    """Return valid conversations with up to three random changes."""
    for _ in range(CONVERSATION_COUNT):
        data = bytearray(source.choice(SEEDS))
        for _ in range(source.randint(0, 3)):
            where = source.randrange(len(data))
            change = source.choice(("replace", "delete", "insert", "cut"))
            if change == "replace":
                data[where] = source.randrange(256)
            elif change == "insert":
                data[where:where] = source.randbytes(source.randint(1, 9))
            else:
                del data[where : where + 1 if change == "delete" else None]
            if not data:
                data += source.randbytes(20)
        yield bytes(data)


class FuzzTest(unittest.TestCase):
    def test_random_conversations(self) -> None:
        source = random.Random(3)
        for data in conversations(source):
            handshake = source.choice(FACTORIES)()
            with self.subTest(data, handshake=type(handshake).__name__):
                self.feed(handshake, data, source)

    def feed(
        self, handshake: Handshake, data: bytes, source: random.Random
    ) -> None:
        while data:
            if handshake.state is State.START_TLS:
                handshake.tls_started()
            pass_prompt(handshake)
            if handshake.state is not State.RECEIVE:
                return
            size = source.randint(1, 60)
            piece, data = data[:size], data[size:]
            try:
                handshake.receive(piece)
            except HandshakeError as error:
                self.assertNotIn(PASSWORD, str(error))
                return
            finally:
                self.assertNotIn(PASSWORD.encode(), handshake.data_to_send())
            self.assertLessEqual(len(handshake._received), _MAX_BUFFERED)
