# SPDX-License-Identifier: Apache-2.0
import random
import struct
import tracemalloc
import unittest
from types import SimpleNamespace
from unittest import mock

from console_api.rfb.errors import ViolationError
from console_api.rfb.view_only import ViewOnlyFilter
from console_api.tests.unit.rfb.messages import samples

EXTENDED_CLIPBOARD = 0xC0A1E5CE - (1 << 32)

PASSED = {
    "pixel format": samples.set_pixel_format(),
    "encodings": samples.set_encodings(7, 16, 0, -223, -308),
    "no encodings": samples.set_encodings(),
    "update request": samples.UPDATE_REQUEST,
    "continuous updates": samples.ENABLE_UPDATES,
    "fence": samples.fence(is_request=True, payload=b"abc"),
    "longest fence": samples.fence(is_request=False, payload=bytes(64)),
}
DROPPED = {
    "key": samples.KEY_EVENT,
    "extended key": samples.EXTENDED_KEY_EVENT,
    "pointer": struct.pack(">BBHH", 5, 1, 2, 3),
    "pointer with the bit of extended buttons": b"\5\xff" + bytes(4),
    "cut text": b"\6\0\0\0\0\0\0\3abc",
    "empty cut text": b"\6" + bytes(7),
    "extended clipboard": b"\6\0\0\0\xff\xff\xff\xfc\4\5\4\5",
    "xvp": b"\xfa\0\1\3",
    "desktop size": b"\xfb\0\0\1\0\2\2\0" + b"\4" * 32,
    "desktop size without screens": b"\xfb\0\0\1\0\2\0\0",
    "gii, big endian": b"\xfd\x81\0\4\4\4\4\4",
    "gii, little endian": b"\xfd\1\4\0\4\4\4\4",
    "audio on": b"\xff\1\0\0",
    "audio off": b"\xff\1\0\1",
    "audio format": b"\xff\1\0\2" + b"\4" * 6,
}
VIOLATIONS = {
    **{
        f"type {kind}": bytes((kind,))
        for kind in range(256)
        if kind not in {0, 2, 3, 4, 5, 6, 150, 248, 250, 251, 253, 255}
    },
    "many encodings": b"\2\0\4\1",
    "long fence": samples.fence(is_request=True, payload=bytes(65)),
    "unknown qemu message": b"\xff\2",
    "unknown audio": b"\xff\1\0\3",
}


def split(data: bytes, source: random.Random) -> list[bytes]:
    """Split data at random positions."""
    ends = sorted(source.choices(range(len(data) + 1), k=9))
    return [
        data[start:end]
        for start, end in zip([0, *ends], [*ends, len(data)], strict=True)
    ]


class ViewOnlyFilterTest(unittest.TestCase):
    def test_messages_split_anywhere(self) -> None:
        for messages, passes in ((PASSED, True), (DROPPED, False)):
            for name, message in messages.items():
                for end in range(len(message) + 1):
                    with self.subTest(name, end=end):
                        checked = ViewOnlyFilter()
                        first = checked.filter(message[:end])
                        passed = first + checked.filter(message[end:])
                        self.assertEqual(message if passes else b"", passed)
                        # The next message is recognized.
                        self.assertEqual(
                            samples.UPDATE_REQUEST,
                            checked.filter(samples.UPDATE_REQUEST),
                        )

    def test_random_streams_of_messages(self) -> None:
        source = random.Random(15)
        messages = {**PASSED, **DROPPED}
        for _ in range(300):
            names = source.choices(list(messages), k=30)
            checked = ViewOnlyFilter()
            sent = b"".join(messages[name] for name in names)
            passed = b"".join(map(checked.filter, split(sent, source)))
            expected = b"".join(PASSED.get(name, b"") for name in names)
            self.assertEqual(expected, passed)

    def test_encodings_of_input_are_removed(self) -> None:
        offered = (7, -258, -259, 16, -305, -309, -316, EXTENDED_CLIPBOARD, 0)
        self.assertEqual(
            samples.set_encodings(7, 16, 0),
            ViewOnlyFilter().filter(samples.set_encodings(*offered)),
        )

    def test_violations_end_the_session(self) -> None:
        for name, message in VIOLATIONS.items():
            with self.subTest(name):
                checked = ViewOnlyFilter()
                for data in (samples.UPDATE_REQUEST + message, b"", message):
                    with self.assertRaisesRegex(ViolationError, "viewer sent"):
                        checked.filter(data)

    # However long a slow machine takes, no time passes.
    @mock.patch(
        "console_api.rfb.messages.parser.time",
        SimpleNamespace(monotonic=lambda: 0.0),
    )
    def test_flood_of_small_messages_ends_the_session(self) -> None:
        checked = ViewOnlyFilter()
        with self.assertRaisesRegex(ViolationError, "too many"):
            for _ in range(30):
                checked.filter(DROPPED["audio on"] * 10_000)

    def test_longest_cut_text_takes_no_memory(self) -> None:
        for length in (b"\x7f\xff\xff\xff", b"\x80\0\0\0"):
            checked = ViewOnlyFilter()
            checked.filter(b"\6\0\0\0" + length)
            left = abs(int.from_bytes(length, signed=True))
            block = b"\4" * (1 << 20)
            tracemalloc.start()
            while left:
                self.assertEqual(b"", checked.filter(block[:left]))
                left -= min(left, len(block))
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            self.assertLess(peak, 3 * len(block))
            self.assertEqual(
                samples.UPDATE_REQUEST, checked.filter(samples.UPDATE_REQUEST)
            )

    def test_random_bytes_pass_only_as_whole_messages(self) -> None:
        source = random.Random(16)
        for _ in range(3000):
            data = bytearray(
                b"".join(source.choices([*PASSED.values(), *DROPPED.values()]))
                + source.randbytes(40)
            )
            data[source.randrange(len(data))] = source.randrange(256)
            self.check_output(bytes(data), source)

    def check_output(self, data: bytes, source: random.Random) -> None:
        checked, again = ViewOnlyFilter(), ViewOnlyFilter()
        for piece in split(data, source):
            try:
                passed = checked.filter(piece)
            except ViolationError:
                return
            # What passes consists of messages that pass, unchanged.
            self.assertEqual(passed, again.filter(passed))
            self.assertLessEqual(len(checked._incomplete), 4 * 1024)
