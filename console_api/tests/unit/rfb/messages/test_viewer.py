# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.rfb.messages.state import Extension, SessionState
from console_api.rfb.messages.viewer import ViewerMessages
from console_api.tests.unit.rfb.messages import samples


class FollowTest(unittest.TestCase):
    def test_every_message_split_anywhere(self) -> None:
        for name, message in samples.FROM_VIEWER.items():
            for is_holding in (False, True):
                for end in range(1, len(message)):
                    with self.subTest(name, end=end):
                        messages = ViewerMessages(SessionState())
                        messages.is_holding = is_holding
                        first = messages.feed(message[:end])
                        self.assertFalse(messages.is_at_boundary)
                        rest = messages.feed(message[end:])
                        self.assertEqual(message, first + rest)
                        self.assertIsNone(messages.lost)
                        self.assertTrue(messages.is_at_boundary)

    def test_extended_mouse_buttons(self) -> None:
        state = SessionState()
        messages = ViewerMessages(state)
        messages.feed(b"\5\x80" + bytes(4))
        self.assertTrue(messages.is_at_boundary)
        state.has_extended_mouse_buttons = True
        messages.feed(b"\5\x80" + bytes(4))
        self.assertFalse(messages.is_at_boundary)
        messages.feed(b"\1")
        self.assertTrue(messages.is_at_boundary)

    def test_unknown_data_is_forwarded_unchanged(self) -> None:
        unknown = {
            "message": b"\x63more",
            "many encodings": b"\2\0\xff\xffmore",
            "pixel format": samples.set_pixel_format(bytes(16)),
            "long fence": b"\xf8" + b"\xff" * 8,
            "many fences": 17 * samples.fence(is_request=True),
            "qemu message": b"\xff\7more",
        }
        for name, data in unknown.items():
            for size in (1, 1000):
                with self.subTest(name, size=size):
                    messages = ViewerMessages(SessionState())
                    sent = samples.KEY_EVENT + data
                    forwarded = b"".join(
                        messages.feed(sent[start : start + size])
                        for start in range(0, len(sent), size)
                    )
                    self.assertEqual(sent, forwarded)
                    self.assertIsNotNone(messages.lost)


class PixelFormatTest(unittest.TestCase):
    """The moment from which a new pixel format applies."""

    def setUp(self) -> None:
        self.state = SessionState()
        self.state.set_pixel_format(samples.PIXEL_FORMAT)
        self.messages = ViewerMessages(self.state)

    def change(self) -> None:
        self.messages.feed(samples.set_pixel_format(samples.PIXEL_FORMAT_16))

    @property
    def size(self) -> int:
        assert self.state.pixel_format is not None
        return self.state.pixel_format.size

    def test_between_updates(self) -> None:
        self.change()
        self.assertEqual(2, self.size)

    def test_during_update(self) -> None:
        self.messages.feed(samples.UPDATE_REQUEST)
        self.state.begin_update()
        self.change()
        self.assertEqual(4, self.size)
        self.messages.feed(samples.UPDATE_REQUEST)
        self.state.end_update()
        self.assertEqual(2, self.size)

    def test_before_requested_update(self) -> None:
        self.messages.feed(samples.UPDATE_REQUEST)
        self.change()
        self.assertIsNotNone(self.messages.lost)

    def test_interrupted_continuous_updates(self) -> None:
        self.state.announced.add(Extension.CONTINUOUS_UPDATES)
        self.messages.feed(samples.ENABLE_UPDATES + samples.DISABLE_UPDATES)
        self.change()
        self.messages.feed(samples.ENABLE_UPDATES)
        self.state.begin_update()
        self.state.end_update()
        self.assertEqual(4, self.size)
        self.state.end_continuous_updates()
        self.assertEqual(2, self.size)
        self.assertIsNone(self.messages.lost)

    def test_during_continuous_updates(self) -> None:
        self.messages.feed(samples.ENABLE_UPDATES)
        self.change()
        self.assertIsNotNone(self.messages.lost)
