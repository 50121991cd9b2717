# SPDX-License-Identifier: Apache-2.0
"""Replacing the display of a session."""

import random
import struct
import unittest
import zlib

from console_api.rfb.messages.parser import UnknownMessageError
from console_api.rfb.messages.session import SessionMessages
from console_api.tests.unit.rfb.messages import samples
from console_api.tests.unit.rfb.messages.samples import (
    Compressor,
    rectangle,
    update,
)

SIZE = (samples.WIDTH, samples.HEIGHT)
ENCODINGS = samples.set_encodings(7, 16, 6, 5, 0, -223, -224)
PICTURE = samples.FROM_DISPLAY["raw"]


class SessionCase(unittest.TestCase):
    def setUp(self) -> None:
        self.messages = SessionMessages()
        self.viewer = self.messages.viewer
        self.display = self.messages.display
        self.display.feed(samples.SERVER_INIT)

    def replace(self, size: tuple[int, int] = SIZE) -> tuple[bytes, bytes]:
        """Replace the display; return what is sent to both ends."""
        self.assertEqual(b"", self.messages.lose_display())
        return self.messages.replace_display(*size)

    def assert_cannot_replace(self, reason: str) -> None:
        with self.assertRaisesRegex(UnknownMessageError, reason):
            self.replace()

    def sent_to_display(self) -> bytes:
        return bytes(self.messages.state.to_display)


class ReplaceTest(SessionCase):
    def test_choices_of_viewer_are_repeated(self) -> None:
        format_ = samples.set_pixel_format(samples.PIXEL_FORMAT_16)
        self.viewer.feed(format_ + ENCODINGS + samples.UPDATE_REQUEST)
        self.assertEqual(
            (b"", format_ + ENCODINGS + samples.FULL_REQUEST), self.replace()
        )

    def test_format_of_first_display_is_kept(self) -> None:
        self.assertEqual((b"", samples.set_pixel_format()), self.replace())

    def test_messages_in_between_are_remembered_but_dropped(self) -> None:
        self.messages.lose_display()
        sent = ENCODINGS + samples.UPDATE_REQUEST + samples.KEY_EVENT
        for byte in sent:
            self.assertEqual(b"", self.viewer.feed(bytes((byte,))))
        _, to_display = self.messages.replace_display(*SIZE)
        self.assertIn(ENCODINGS + samples.FULL_REQUEST, to_display)
        self.assertEqual(
            samples.KEY_EVENT, self.viewer.feed(samples.KEY_EVENT)
        )

    def test_message_split_by_the_replacement_is_dropped(self) -> None:
        for name, message in samples.FROM_VIEWER.items():
            for end in range(1, len(message)):
                with self.subTest(name, end=end):
                    self.setUp()
                    self.viewer.feed(message[: end // 2])
                    self.messages.lose_display()
                    middle = message[end // 2 : end]
                    self.assertEqual(b"", self.viewer.feed(middle))
                    self.messages.replace_display(*SIZE)
                    rest = message[end:] + samples.KEY_EVENT
                    self.assertEqual(samples.KEY_EVENT, self.viewer.feed(rest))

    def test_untracked_session(self) -> None:
        self.viewer.feed(b"\x63")
        self.assert_cannot_replace("type 99")

    def test_viewer_becomes_untracked_in_between(self) -> None:
        self.messages.lose_display()
        self.viewer.feed(b"\x63")
        with self.assertRaisesRegex(UnknownMessageError, "type 99"):
            self.messages.replace_display(*SIZE)

    def test_incomplete_update(self) -> None:
        self.display.feed(samples.FROM_DISPLAY["zrle"][:-1])
        self.assert_cannot_replace("last update is incomplete")

    def test_several_times(self) -> None:
        for _ in range(3):
            self.replace()
            self.assertEqual(PICTURE, self.display.feed(PICTURE))


class SizeTest(SessionCase):
    def resize(self, *encodings: int, announced: bool = False) -> bytes:
        self.viewer.feed(samples.set_encodings(*encodings))
        if announced:
            self.display.feed(samples.FROM_DISPLAY["extended desktop size"])
        to_viewer, _ = self.replace((800, 600))
        return to_viewer

    def test_desktop_size(self) -> None:
        expected = update(rectangle(-223, b"", 800, 600))
        self.assertEqual(expected, self.resize(-223))
        self.setUp()
        self.assertEqual(expected, self.resize(-223, -308))

    def test_extended_desktop_size(self) -> None:
        screens = struct.pack(">B3xI4HI", 1, 0, 0, 0, 800, 600, 0)
        expected = update(rectangle(-308, screens, 800, 600))
        self.assertEqual(expected, self.resize(-308))
        self.setUp()
        self.assertEqual(expected, self.resize(-223, -308, announced=True))

    def test_viewer_without_support(self) -> None:
        with self.assertRaisesRegex(UnknownMessageError, "another size"):
            self.resize(0)

    def test_size_that_changed_before_is_known(self) -> None:
        self.display.feed(update(rectangle(-223, b"", 800, 600)))
        to_viewer, _ = self.replace((800, 600))
        self.assertEqual(b"", to_viewer)


class CompressionTest(SessionCase):
    """What the viewer decompresses continues across displays."""

    def compressed(self, forwarded: bytes) -> bytes:
        """Return the data of the only rectangle of an update."""
        length = int.from_bytes(forwarded[16:20])
        self.assertEqual(20 + length, len(forwarded))
        return forwarded[20:]

    def feed(self, data: bytes, size: int) -> bytes:
        return b"".join(
            self.display.feed(data[start : start + size])
            for start in range(0, len(data), size)
        )

    def test_zlib_and_zrle_continue(self) -> None:
        source = random.Random(1)
        for encoding in (6, 16, 17):
            for size in (1, 10_000):
                self.setUp()
                viewer = zlib.decompressobj()
                for _ in range(3):
                    compressor = Compressor()
                    for _ in range(3):
                        data = 3 * source.randbytes(500)
                        sent = update(
                            rectangle(encoding, compressor.compress(data))
                        )
                        received = self.compressed(self.feed(sent, size))
                        self.assertEqual(data, viewer.decompress(received))
                    self.replace()
                self.assertIsNone(self.display.lost)

    def test_data_that_ends_within_a_byte(self) -> None:
        data = Compressor().compress(b"data", zlib.Z_PARTIAL_FLUSH)
        self.display.feed(update(rectangle(6, data)))
        self.assert_cannot_replace("compressed data")

    def test_data_without_header(self) -> None:
        for data in (b"\0\0\0\1x", b"\0\0\0\2\0\0", b"\0\0\0\2\x78\xbb"):
            with self.subTest(data):
                self.setUp()
                self.display.feed(samples.FROM_DISPLAY["zlib"])
                self.replace()
                self.display.feed(update(rectangle(6, data)))
                self.assertIsNotNone(self.display.lost)

    def test_tight_streams_are_reset_once(self) -> None:
        fill = samples.FROM_DISPLAY["tight fill"]
        self.assertEqual(fill, self.display.feed(fill))
        self.replace()
        for expected in (0x8F, 0x80):
            forwarded = self.feed(fill, 1)
            self.assertEqual(expected, forwarded[16])
            self.assertEqual(len(fill), len(forwarded))

    def test_streams_that_were_not_used_are_not_changed(self) -> None:
        self.replace()
        for name in ("tight fill", "zlib", "zrle"):
            message = samples.FROM_DISPLAY[name]
            self.assertEqual(message, self.display.feed(message))


class ExtensionTest(SessionCase):
    def test_unannounced_message_is_dropped_then_ends_session(self) -> None:
        self.display.feed(samples.FROM_DISPLAY["extended keys"])
        self.replace()
        sent = samples.EXTENDED_KEY_EVENT + samples.KEY_EVENT
        self.assertEqual(samples.KEY_EVENT, self.viewer.feed(sent))
        self.display.feed(PICTURE)
        self.viewer.feed(samples.EXTENDED_KEY_EVENT)
        self.assertIn(
            "no longer supports extended key", self.viewer.lost or ""
        )

    def test_announced_message_is_forwarded(self) -> None:
        self.replace()
        self.display.feed(samples.FROM_DISPLAY["extended keys"] + PICTURE)
        self.assertEqual(
            samples.EXTENDED_KEY_EVENT,
            self.viewer.feed(samples.EXTENDED_KEY_EVENT),
        )

    def test_unannounced_clipboard_is_dropped(self) -> None:
        self.replace()
        sent = samples.FROM_VIEWER["extended cut text"] + samples.KEY_EVENT
        for byte in sent[:-1]:
            self.assertEqual(b"", self.viewer.feed(bytes((byte,))))
        self.assertEqual(samples.KEY_EVENT, self.viewer.feed(sent[-1:]))

    def test_continuous_updates_are_enabled_again(self) -> None:
        self.display.feed(samples.END_OF_UPDATES)
        self.viewer.feed(samples.ENABLE_UPDATES)
        self.replace()
        self.assertEqual(b"", self.sent_to_display())
        sent = samples.END_OF_UPDATES + PICTURE
        self.assertEqual(PICTURE, self.display.feed(sent))
        self.assertEqual(samples.ENABLE_UPDATES, self.sent_to_display())

    def test_end_of_continuous_updates_that_viewer_expects(self) -> None:
        self.display.feed(samples.END_OF_UPDATES)
        self.viewer.feed(samples.ENABLE_UPDATES + samples.DISABLE_UPDATES)
        for enabled in (b"", samples.ENABLE_UPDATES):
            with self.subTest(enabled):
                self.viewer.feed(enabled)
                self.replace()
                self.assertEqual(
                    samples.END_OF_UPDATES,
                    self.display.feed(samples.END_OF_UPDATES),
                )
                self.assertEqual(enabled, self.sent_to_display())
            self.viewer.feed(samples.DISABLE_UPDATES)

    def test_display_without_continuous_updates(self) -> None:
        self.display.feed(samples.END_OF_UPDATES)
        self.viewer.feed(samples.ENABLE_UPDATES)
        self.replace()
        self.display.feed(samples.FROM_DISPLAY["leds"])
        self.assertIsNone(self.display.lost)
        self.display.feed(PICTURE)
        self.assertIn("continuous updates", self.display.lost or "")

    def test_answer_to_fence_of_earlier_display_is_dropped(self) -> None:
        request = samples.fence(is_request=True)
        answer = samples.fence(is_request=False)
        self.display.feed(2 * request)
        self.assertEqual(answer, self.viewer.feed(answer))
        self.replace()
        self.display.feed(request)
        self.assertEqual(b"", self.viewer.feed(answer))
        self.assertEqual(answer, self.viewer.feed(answer))

    def test_unanswered_fences_of_viewer_are_repeated(self) -> None:
        requests = [
            samples.fence(is_request=True, payload=payload)
            for payload in (b"1", b"2", b"3")
        ]
        self.display.feed(samples.fence(is_request=True))
        self.viewer.feed(requests[0] + requests[1])
        self.display.feed(samples.fence(is_request=False, payload=b"1"))
        self.replace()
        self.assertEqual(b"", self.viewer.feed(requests[2]))
        self.display.feed(samples.fence(is_request=True))
        self.assertEqual(requests[1] + requests[2], self.sent_to_display())

    def test_display_without_fences(self) -> None:
        self.viewer.feed(samples.fence(is_request=True))
        self.replace()
        self.display.feed(PICTURE)
        self.assertIn("fences", self.display.lost or "")


class FuzzTest(unittest.TestCase):
    """Random data is forwarded and never raises."""

    def test_random_changes(self) -> None:
        source = random.Random(5)
        for _ in range(500):
            messages = SessionMessages()
            for parser, seeds in (
                (messages.display, samples.FROM_DISPLAY),
                (messages.viewer, samples.FROM_VIEWER),
            ):
                data = bytearray(
                    b"".join(source.choices(list(seeds.values()), k=9))
                )
                for _ in range(source.randint(0, 3)):
                    data[source.randrange(len(data))] = source.randrange(256)
                if parser is messages.display:
                    data[:0] = samples.SERVER_INIT
                position = 0
                forwarded = b""
                while position < len(data):
                    end = position + source.randint(1, 200)
                    forwarded += parser.feed(bytes(data[position:end]))
                    position = end
                self.assertEqual(data, forwarded)
                self.assertLess(len(parser._incomplete), 4200)
