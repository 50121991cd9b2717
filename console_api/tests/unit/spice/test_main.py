# SPDX-License-Identifier: Apache-2.0
import random
import unittest
from types import SimpleNamespace
from unittest import mock

from console_api.rfb.errors import ViolationError
from console_api.spice.link import LinkReader
from console_api.spice.main import DisplayMessages, ViewOnlyFilter
from console_api.tests.unit.spice import samples
from console_api.tests.unit.spice.samples import message

PASSED = {
    "acknowledge sync": (1, bytes(4)),
    "acknowledge": (2, b""),
    "pong": (3, bytes(12)),
    "disconnecting": (6, bytes(12)),
    "client info": (101, bytes(16)),
    "attach channels": (104, b""),
}
DROPPED = {
    "migrate data": (5, bytes(300)),
    "migrate connected": (102, b""),
    "mouse mode": (105, b"\2\0"),
    "agent start": (106, bytes(4)),
    "agent data": (107, bytes(2048)),
    "agent token": (108, bytes(4)),
    "migrate end": (109, b""),
    "quality indicator": (112, bytes(4)),
    "unknown": (65535, b"abc"),
}
# Capabilities of both sides, whether they mean short headers, and what the
# viewer sends to authenticate.
VARIANTS = (
    (samples.CAPABILITIES, True, samples.TICKET),
    (samples.AUTH_SELECTION, False, samples.TICKET),
    (samples.MINI_HEADER, True, samples.TICKET[4:]),
    (None, False, samples.TICKET[4:]),
)


def display_messages(
    viewer: int | None = samples.CAPABILITIES,
) -> DisplayMessages:
    """Return what follows a display before its first byte."""
    link = LinkReader().receive(samples.link(capabilities=viewer))
    assert link is not None
    return DisplayMessages(link)


def view_only(capabilities: int | None) -> ViewOnlyFilter:
    """Return a filter after the display's answer."""
    display = display_messages(capabilities)
    display.feed(samples.reply(capabilities))
    return ViewOnlyFilter(display)


class DisplayMessagesTest(unittest.TestCase):
    def test_connection_id(self) -> None:
        for capabilities, is_mini, _ in VARIANTS:
            sent = (
                samples.reply(capabilities)
                + bytes(4)
                + message(3, bytes(8), is_mini=is_mini)
                + message(4, bytes(500), is_mini=is_mini)
                + samples.init(is_mini=is_mini)
                + message(104, b"more", is_mini=is_mini)
            )
            for size in (1, 7, 10_000):
                with self.subTest(capabilities, size=size):
                    display = display_messages(capabilities)
                    forwarded = b"".join(
                        display.feed(sent[start : start + size])
                        for start in range(0, len(sent), size)
                    )
                    self.assertEqual(sent, forwarded)
                    self.assertEqual(
                        samples.CONNECTION_ID, display.connection_id
                    )

    def test_capability_of_one_side_is_not_used(self) -> None:
        for viewer, display in (
            (samples.AUTH_SELECTION, samples.CAPABILITIES),
            (samples.CAPABILITIES, samples.AUTH_SELECTION),
        ):
            messages = display_messages(viewer)
            messages.feed(samples.reply(display) + bytes(4))
            messages.feed(samples.init(is_mini=False))
            self.assertEqual(samples.CONNECTION_ID, messages.connection_id)

    def test_refusals_are_forwarded(self) -> None:
        for sent in (
            samples.reply(error=7),
            samples.reply() + b"\7\0\0\0" + samples.init(),
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            bytes(40),
        ):
            for size in (1, 10_000):
                with self.subTest(sent, size=size):
                    display = display_messages()
                    forwarded = b"".join(
                        display.feed(sent[start : start + size])
                        for start in range(0, len(sent), size)
                    )
                    self.assertEqual(sent, forwarded)
                    self.assertIsNotNone(display.lost)
                    self.assertIsNone(display.connection_id)


class ViewOnlyFilterTest(unittest.TestCase):
    def test_messages_split_anywhere(self) -> None:
        source = random.Random(18)
        for capabilities, is_mini, ticket in VARIANTS:
            for _ in range(100):
                kinds = source.choices(
                    [*PASSED.values(), *DROPPED.values()], k=20
                )
                passed = view_only(capabilities)
                sent = ticket + self.encode(kinds, is_mini=is_mini)
                size = source.randint(1, 50)
                received = b"".join(
                    passed.filter(sent[start : start + size])
                    for start in range(0, len(sent), size)
                )
                allowed = [one for one in kinds if one in PASSED.values()]
                self.assertEqual(
                    ticket + self.encode(allowed, is_mini=is_mini), received
                )

    def encode(
        self, messages: list[tuple[int, bytes]], *, is_mini: bool
    ) -> bytes:
        return b"".join(
            message(kind, body, is_mini=is_mini) for kind, body in messages
        )

    def test_violations_end_the_session(self) -> None:
        for capabilities, sent, text in (
            (samples.CAPABILITIES, b"\2\0\0\0", "SASL"),
            (
                samples.AUTH_SELECTION,
                samples.TICKET + message(2, is_mini=False, nested=18),
                "nested",
            ),
        ):
            with self.subTest(text):
                passed = view_only(capabilities)
                with self.assertRaisesRegex(ViolationError, text):
                    passed.filter(sent)
                with self.assertRaisesRegex(ViolationError, text):
                    passed.filter(b"more")

    def test_viewer_has_to_wait_for_the_answer(self) -> None:
        for answer in (b"", samples.reply()[:-1], samples.reply(error=7)):
            display = display_messages()
            display.feed(answer)
            with self.assertRaisesRegex(ViolationError, "did not wait"):
                ViewOnlyFilter(display).filter(samples.TICKET)

    # However long a slow machine takes, no time passes.
    @mock.patch(
        "console_api.rfb.messages.parser.time",
        SimpleNamespace(monotonic=lambda: 0.0),
    )
    def test_flood_of_small_messages_ends_the_session(self) -> None:
        passed = view_only(samples.CAPABILITIES)
        passed.filter(samples.TICKET)
        with self.assertRaisesRegex(ViolationError, "too many"):
            for _ in range(60):
                passed.filter(message(106) * 10_000)

    def test_random_bytes(self) -> None:
        source = random.Random(19)
        for _ in range(2000):
            passed = view_only(samples.CAPABILITIES)
            self.assertEqual(samples.TICKET, passed.filter(samples.TICKET))
            sent = bytearray(
                self.encode(
                    source.choices([*PASSED.values(), *DROPPED.values()], k=5),
                    is_mini=True,
                )
            )
            sent[source.randrange(len(sent))] = source.randrange(256)
            received = passed.filter(bytes(sent))
            again = view_only(samples.CAPABILITIES)
            again.filter(samples.TICKET)
            self.assertEqual(received, again.filter(received))
