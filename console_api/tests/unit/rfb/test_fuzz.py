# SPDX-License-Identifier: Apache-2.0
"""Whatever the other end sends, a handshake goes on or says no."""

import random
import unittest
from collections.abc import Callable, Iterable

from console_api.rfb.endpoint import EndpointHandshake, EndpointState
from console_api.rfb.errors import RFBError
from console_api.rfb.handshake import Handshake
from console_api.rfb.viewer import ViewerHandshake, ViewerState
from console_api.tests.unit.rfb import test_endpoint, test_viewer

PASSWORD = "pAsSw0rd"

TRIES = 4000

# The longest message that is awaited, and the longest piece that is fed.
_MOST_KEPT = 1024 + 64

SEEDS = (
    *(begin + test_viewer.RIGHT + b"\1" for begin, _ in test_viewer.VERSIONS),
    *(received for received, *_ in test_endpoint.CONVERSATIONS),
    *(received for received, *_ in test_endpoint.REFUSALS),
    test_endpoint.BEGIN + test_endpoint.subtypes(257, 260, 261) + b"\1",
)

MAKERS: tuple[Callable[[], Handshake], ...] = (
    lambda: ViewerHandshake(PASSWORD),
    lambda: EndpointHandshake(None),
    lambda: EndpointHandshake(PASSWORD),
    lambda: EndpointHandshake(PASSWORD, tls=True),
)

ENDED = (
    ViewerState.ANSWERED,
    ViewerState.REFUSED,
    EndpointState.DONE,
)


def mutations(source: random.Random) -> Iterable[bytes]:
    """Return conversations that are nearly right, and some that are not."""
    for _ in range(TRIES):
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
    def test_only_what_is_foreseen_happens(self) -> None:
        source = random.Random(3)
        for data in mutations(source):
            handshake = source.choice(MAKERS)()
            with self.subTest(data, handshake=type(handshake).__name__):
                self.feed(handshake, data, source)

    def feed(
        self, handshake: Handshake, data: bytes, source: random.Random
    ) -> None:
        while data and handshake.state not in ENDED:  # type: ignore[attr-defined]
            if handshake.state is EndpointState.START_TLS:  # type: ignore[attr-defined]
                handshake.tls_started()  # type: ignore[attr-defined]
            size = source.randint(1, 60)
            piece, data = data[:size], data[size:]
            try:
                handshake.receive(piece)
            except RFBError as error:
                self.assertNotIn(PASSWORD, str(error))
                return
            finally:
                self.assertNotIn(PASSWORD.encode(), handshake.data_to_send())
            self.assertLessEqual(len(handshake.trailing), _MOST_KEPT)
