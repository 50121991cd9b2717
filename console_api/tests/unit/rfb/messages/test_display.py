# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.rfb.messages import parser
from console_api.rfb.messages.display import DisplayMessages
from console_api.rfb.messages.state import SessionState
from console_api.tests.unit.rfb.messages import samples
from console_api.tests.unit.rfb.messages.samples import rectangle, update


def started() -> DisplayMessages:
    """Return messages that follow ServerInit."""
    messages = DisplayMessages(SessionState())
    messages.feed(samples.SERVER_INIT)
    assert messages.is_at_boundary
    return messages


class FollowTest(unittest.TestCase):
    def test_every_message_split_anywhere(self) -> None:
        for name, message in samples.FROM_DISPLAY.items():
            step = 1 + len(message) // 500
            for end in range(1, len(message), step):
                with self.subTest(name, end=end):
                    messages = started()
                    first = messages.feed(message[:end])
                    self.assertFalse(messages.is_at_boundary)
                    self.assertEqual(
                        message, first + messages.feed(message[end:])
                    )
                    self.assertIsNone(messages.lost)
                    self.assertTrue(messages.is_at_boundary)

    def test_all_messages_byte_by_byte(self) -> None:
        for is_holding in (False, True):
            messages = started()
            messages.is_holding = is_holding
            for name, message in samples.FROM_DISPLAY.items():
                with self.subTest(name):
                    forwarded = b"".join(
                        messages.feed(bytes((byte,))) for byte in message
                    )
                    self.assertEqual(message, forwarded)
                    self.assertIsNone(messages.lost)
                    self.assertTrue(messages.is_at_boundary)

    def test_all_messages_at_once_are_not_copied(self) -> None:
        data = b"".join(samples.FROM_DISPLAY.values())
        messages = started()
        self.assertIs(data, messages.feed(data))
        self.assertTrue(messages.is_at_boundary)

    def test_server_init_split_anywhere(self) -> None:
        for end in range(1, len(samples.SERVER_INIT)):
            messages = DisplayMessages(SessionState())
            messages.feed(samples.SERVER_INIT[:end])
            self.assertFalse(messages.is_at_boundary)
            self.assertIsNone(messages.completion())
            messages.feed(samples.SERVER_INIT[end:])
            self.assertTrue(messages.is_at_boundary)

    def test_pixel_size_follows_format(self) -> None:
        state = SessionState()
        messages = DisplayMessages(state)
        messages.feed(samples.SERVER_INIT)
        state.set_pixel_format(samples.PIXEL_FORMAT_16)
        messages.feed(update(rectangle(0, bytes(2 * 3 * 2))))
        self.assertTrue(messages.is_at_boundary)

    def test_refused_desktop_size_changes_nothing(self) -> None:
        state = SessionState()
        messages = DisplayMessages(state)
        messages.feed(samples.SERVER_INIT)
        refused = rectangle(-308, samples.SCREENS, 9, 9, (1, 1))
        messages.feed(update(refused))
        self.assertEqual((samples.WIDTH, samples.HEIGHT), state.size)


class LostTest(unittest.TestCase):
    def test_unknown_data_is_forwarded_unchanged(self) -> None:
        unknown = {
            "message": b"\x63",
            "encoding": update(rectangle(99)),
            "tight compression": update(rectangle(7, b"\xb0")),
            "tight filter": update(rectangle(7, b"\x40\7")),
            "alpha cursor": update(rectangle(-314, b"\0\0\0\7")),
            "pixel format": update(rectangle(0x574D5669, bytes(16))),
            "qemu message": b"\xff\7",
        }
        for name, data in unknown.items():
            for size in (1, 1000):
                with self.subTest(name, size=size):
                    messages = started()
                    sent = samples.FROM_DISPLAY["raw"] + data + b"more"
                    forwarded = b"".join(
                        messages.feed(sent[start : start + size])
                        for start in range(0, len(sent), size)
                    )
                    self.assertEqual(sent, forwarded)
                    self.assertIsNotNone(messages.lost)

    def test_invalid_server_init(self) -> None:
        messages = DisplayMessages(SessionState())
        self.assertEqual(bytes(30), messages.feed(bytes(30)))
        self.assertIsNotNone(messages.lost)

    def test_ambiguous_length_of_tight_pixels(self) -> None:
        state = SessionState()
        messages = DisplayMessages(state)
        messages.feed(samples.SERVER_INIT)
        state.set_pixel_format(bytes((32, 32)) + samples.PIXEL_FORMAT[2:])
        messages.feed(update(samples.PICTURES["tight jpeg"]))
        self.assertIsNone(messages.lost)
        messages.feed(update(samples.PICTURES["tight fill"]))
        self.assertEqual("an ambiguous pixel format", messages.lost)

    def test_many_tiny_messages(self) -> None:
        messages = started()
        data = b"\2" * (parser._MAX_BURST // 10)
        for _ in range(100):
            self.assertEqual(data, messages.feed(data))
        self.assertEqual("too many small messages", messages.lost)


class CompletionTest(unittest.TestCase):
    def complete(self, sent: bytes, *encodings: int) -> bytes | None:
        state = SessionState()
        state.encoding_numbers = frozenset(encodings)
        messages = DisplayMessages(state)
        messages.feed(samples.SERVER_INIT + sent)
        completion = messages.completion()
        if completion is not None:
            messages.feed(completion)
            self.assertTrue(messages.is_at_boundary)
            self.assertIsNone(messages.lost)
        return completion

    def test_complete_message(self) -> None:
        self.assertEqual(b"", self.complete(b""))
        self.assertEqual(b"", self.complete(samples.FROM_DISPLAY["zrle"]))

    def test_raw_rectangle(self) -> None:
        raw = samples.FROM_DISPLAY["raw"]
        self.assertEqual(bytes(5), self.complete(raw[:-5]))

    def test_missing_rectangles(self) -> None:
        begin = update(samples.PICTURES["zrle"], count=3)
        black = rectangle(0, bytes(4), 1, 1)
        self.assertEqual(2 * black, self.complete(begin))

    def test_last_rectangle(self) -> None:
        begin = update(samples.PICTURES["raw"][:-5], count=0xFFFF)
        last = rectangle(-224, b"", 0, 0)
        self.assertEqual(bytes(5) + last, self.complete(begin, -224))

    def test_impossible(self) -> None:
        for sent in (
            samples.FROM_DISPLAY["zrle"][:-5],
            samples.FROM_DISPLAY["cut text"][:-1],
            samples.FROM_DISPLAY["raw"][:10],
            update(b"", count=1) + b"\0",
            update(rectangle(0, b"", 0xFFFF, 0xFFFF)),
        ):
            with self.subTest(sent):
                self.assertIsNone(self.complete(sent))
