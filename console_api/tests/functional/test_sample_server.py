# SPDX-License-Identifier: Apache-2.0
"""The screen and the serial console of the quickstart's sample server."""

import contextlib
import socket
import struct
import unittest

from console_api.cmd.quickstart import sample_server
from console_api.tests.functional.rfb_client import RFBClient


class ScreenTest(unittest.TestCase):
    def test_all_versions_receive_a_rectangle(self):
        with sample_server.running("127.0.0.1") as ports:
            for version, security in (
                (b"RFB 003.003\n", b"\0\0\0\1"),
                (b"RFB 003.007\n", b"\1\1"),
                (b"RFB 003.008\n", b"\1\1"),
            ):
                with self.subTest(version), RFBClient(ports["vnc"]) as viewer:
                    viewer.receive(12)
                    viewer.send(version)
                    self.assertEqual(security, viewer.receive(len(security)))
                    if version != b"RFB 003.003\n":
                        viewer.send(b"\1")
                    if version == b"RFB 003.008\n":
                        self.assertEqual(b"\0\0\0\0", viewer.receive(4))
                    self.assertIn("test picture", viewer.open())
                    # 16 bits a pixel, big endian: 5, 6 and 5 bits.
                    viewer.send(
                        bytes.fromhex(
                            "00000000 10100101 001f003f001f 0b0500 000000"
                        )
                    )
                    # Encodings, a key, the pointer, a clipboard, then the
                    # last pixel of the first bar and the first of the next,
                    # of a rectangle that is larger than the picture.
                    viewer.send(
                        bytes.fromhex(
                            "02000001 00000000 0401000000000041"
                            "050000010001 06000000 00000002 6869"
                            "03 00 0027 00cf ffff ffff"
                        )
                    )
                    header = viewer.receive(16)
                    self.assertEqual(
                        "00000001002700cf0119002100000000", header.hex()
                    )
                    self.assertEqual("ffffffe0", viewer.receive(4).hex())

    def test_invalid_messages_close_the_connection(self):
        begin = b"RFB 003.008\n\1\1"
        with sample_server.running("127.0.0.1") as ports:
            for message in (
                b"\xff",
                b"\x00\0\0\0" + bytes(16),
                b"\x06\0\0\0\xff\xff\xff\xff",
            ):
                with self.subTest(message), RFBClient(ports["vnc"]) as viewer:
                    viewer.send(begin + message)
                    while viewer.receive(1):
                        pass

    def test_typed_text_is_shown_to_all_viewers(self):
        with (
            sample_server.running("127.0.0.1") as ports,
            self.viewer(ports) as viewer,
            self.viewer(ports) as other,
        ):
            empty = self.request(viewer, incremental=False)
            self.assertEqual(empty, self.request(other, incremental=False))
            for each in (viewer, other):
                self.ask(each, incremental=True)
            self.press(viewer, 0x41)
            typed = self.receive(viewer)
            self.assertEqual(typed, self.receive(other))
            self.assertNotEqual(empty, typed)
            # The backspace key deletes it again.
            self.ask(other, incremental=True)
            self.press(viewer, 0xFF08)
            self.assertEqual(empty, self.receive(other))

    @contextlib.contextmanager
    def viewer(self, ports):
        """Connect a viewer that has seen the initialization."""
        with RFBClient(ports["vnc"]) as viewer:
            viewer.receive(12)
            viewer.send(b"RFB 003.008\n\1")
            viewer.receive(2 + 4)
            viewer.open()
            yield viewer

    def ask(self, viewer, incremental):
        viewer.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, 320, 240))

    def press(self, viewer, key):
        for is_down in (True, False):
            viewer.send(struct.pack(">B?2xI", 4, is_down, key))

    def receive(self, viewer):
        """Return the line of text in the next update."""
        *_, width, height, _ = struct.unpack(">BBHHHHHi", viewer.receive(16))
        return viewer.receive(4 * width * height)[-4 * 320 * 32 :]

    def request(self, viewer, incremental):
        self.ask(viewer, incremental)
        return self.receive(viewer)


class SerialLineTest(unittest.TestCase):
    def test_lines_are_repeated(self):
        with (
            sample_server.running("127.0.0.1") as ports,
            (
                socket.create_connection(("127.0.0.1", ports["serial"]), 60)
            ) as terminal,
        ):
            terminal.sendall("rätsx\x7f\x1b[A\r".encode())
            shown = b""
            while not shown.endswith("typed: räts[A\r\nsample> ".encode()):
                data = terminal.recv(4096)
                self.assertTrue(data, shown)
                shown += data
            self.assertIn(b"Serial console of the sample server", shown)
            self.assertNotIn(b"\x1b", shown)
