# SPDX-License-Identifier: Apache-2.0
"""View-only sessions reach no input of real displays."""

import base64
import struct

from console_api.gateway.close_reasons import CloseReason
from console_api.tests.functional import rfb_screen, vnc_servers
from console_api.tests.functional.base import token_of
from console_api.tests.functional.gateways import GatewayTestCase

KEY = b"\4\1\0\0\0\0\0a" + b"\4\0\0\0\0\0\0a"
POINTER = struct.pack(">BBHHBBHH", 5, 1, 20, 30, 5, 0, 20, 30)
CLIPBOARD = b"\6\0\0\0\0\0\0\6s3cret"
QEMU_KEY = struct.pack(">BBHII", 255, 0, 1, 0x61, 30) + struct.pack(
    ">BBHII", 255, 0, 0, 0x61, 30
)
#: What noVNC sends unasked.
EXTENDED_CLIPBOARD = b"\6\0\0\0\xff\xff\xff\xf8\1\0\0\1\0\0\0\1"
RESET = b"\xfa\0\1\4"
RESIZE = struct.pack(">BxHHBx", 251, 400, 300, 1) + struct.pack(
    ">IHHHHI", 1, 0, 0, 400, 300, 0
)
GII = b"\xfd\x81\0\4\0\1\0\1"
INPUT = (
    KEY + POINTER + CLIPBOARD + EXTENDED_CLIPBOARD + QEMU_KEY + RESET + RESIZE
) + GII

#: Raw pixels, the size of the desktop, and encodings that ask for input:
#: displays announce the latter by rectangles of the same number.
ENCODINGS = (0, -258, -259, -305, -308, -309, -316, 0xC0A1E5CE - (1 << 32))

# What the displays print about input.
_XVNC_INPUT = ("Key pressed", "Pointer", "clipboard", "resize")
_QEMU_INPUT = ("input_event", "vnc_key_event", "vnc_client_cut")


class ViewOnlyTestCase(GatewayTestCase):
    backend = "sqlite"
    gateway_options = {"gateway": {"view_only": "true"}}

    def xvnc(self):
        """Start TigerVNC's X server, which prints what viewers do."""
        display = vnc_servers.xvnc(None, "-Log", "*:stderr:100")
        self.addCleanup(display.stop)
        return display

    def qemu(self):
        """Start a machine that prints its input."""
        traced = ("input_event_*", "vnc_key_event_*")
        display = vnc_servers.qemu(
            *(part for name in traced for part in ("-trace", f"enable={name}"))
        )
        self.addCleanup(display.stop)
        return display

    def open(self, display, **options):
        """Return a viewer of a display after ServerInit."""
        token = self.token_for(display.port)
        viewer = self.gateway.viewer(f"/?token={token}", **options)
        self.addCleanup(viewer.socket.close)
        viewer.begin()
        return viewer

    def show_picture(self, viewer):
        """Wait until everything sent before has been processed."""
        screen = rfb_screen.Screen(viewer, rfb_screen.RAW)
        screen.receive_update()
        return screen

    def assert_no_input(self, display, words):
        """Assert that a display printed nothing about input."""
        lines = [
            line
            for line in display.log.splitlines()
            if any(word in line for word in words)
        ]
        self.assertEqual([], lines)


class ViewOnlyTests(ViewOnlyTestCase):
    def check(self, display, words):
        for frame_size in (None, 1, 7):
            with self.subTest(frame_size):
                viewer = self.open(display, frame_size=frame_size)
                for _ in range(3):
                    viewer.send(INPUT)
                    self.show_picture(viewer)
                viewer.socket.close()
        self.assert_no_input(display, words)

    def test_xvnc_receives_no_input(self):
        display = self.xvnc()
        self.check(display, _XVNC_INPUT)
        direct = vnc_servers.capture(display.port)
        self.assertEqual((320, 240), direct.size)

    def test_qemu_receives_no_input(self):
        self.check(self.qemu(), _QEMU_INPUT)

    def test_pictures_change(self):
        # The cursor of the firmware blinks.
        screen = self.show_picture(self.open(self.qemu()))
        first = screen.picture.tobytes()
        while screen.picture.tobytes() == first:
            screen.request()
            screen.receive_update()

    def test_unknown_message_ends_the_session(self):
        for message in (b"\x7f", b"\xfc", b"\1", b"\xff\7", b"\2\0\xff\xff"):
            with self.subTest(message):
                viewer = self.open(self.qemu())
                viewer.send(message)
                closed = viewer.socket.wait_until_closed()
                self.assertEqual(CloseReason.VIOLATION.code, closed.code)

    def test_encodings_of_input_are_not_requested(self):
        viewer = self.open(self.qemu())
        viewer.send(
            struct.pack(
                f">BxH{len(ENCODINGS)}i", 2, len(ENCODINGS), *ENCODINGS
            )
        )
        viewer.send(struct.pack(">BBHHHH", 3, 0, 0, 0, *viewer.size))
        _, count = struct.unpack(">BxH", viewer.receive(4))
        for _ in range(count):
            *_, width, height, encoding = struct.unpack(
                ">HHHHi", viewer.receive(12)
            )
            self.assertIn(encoding, (0, -308))
            screens = 4 + 16 * (encoding == -308)
            viewer.receive(4 * width * height if encoding == 0 else screens)

    def test_viewer_cannot_throw_others_out(self):
        display = self.xvnc()
        first = self.open(display)
        token = self.token_for(display.port)
        second = self.gateway.viewer(f"/?token={token}")
        self.addCleanup(second.socket.close)
        second.begin(shared=False)
        self.show_picture(second)
        self.show_picture(first)


class ControlTests(ViewOnlyTestCase):
    """The same messages are input if the session may send it."""

    gateway_options = {}

    def test_xvnc_receives_input(self):
        display = self.xvnc()
        viewer = self.open(display)
        viewer.send(KEY + CLIPBOARD)
        self.show_picture(viewer)
        self.eventually(lambda: "Key pressed" in display.log)

    def test_qemu_receives_input(self):
        display = self.qemu()
        viewer = self.open(display)
        viewer.send(KEY + QEMU_KEY)
        self.show_picture(viewer)
        self.eventually(lambda: "input_event_key" in display.log)


class TokenTests(ViewOnlyTestCase):
    """The token makes a session view-only, at any gateway."""

    gateway_options = {}

    def issue_token(self, server_id, protocol="vnc", console_type="novnc"):
        """Create a view-only console, as a reader."""
        body = {"protocol": protocol, "type": console_type}
        reply = self.client("user", roles="reader").post(
            f"/servers/{server_id}/remote-consoles/view-only",
            {"remote_console": body},
            version="2.99",
        )
        self.assertEqual(200, reply.status, reply.body)
        return token_of(reply.json["remote_console"]["url"])

    def test_resumed_session_receives_no_input(self):
        display = self.qemu()
        page = self.gateway.exchange(self.token_for(display.port)).json
        self.assertTrue(page["view_only"])
        secret = base64.urlsafe_b64encode(page["secret"].encode()).decode()
        for _ in range(2):
            viewer = self.gateway.viewer(
                f"/connect/{page['console']}",
                subprotocols=["binary", f"console.{secret.rstrip('=')}"],
            )
            self.addCleanup(viewer.socket.close)
            viewer.begin()
            viewer.send(INPUT)
            self.show_picture(viewer)
            viewer.socket.close()
        self.assert_no_input(display, _QEMU_INPUT)

    def test_other_proxies_cannot_look_the_token_up(self):
        token = self.token_for(5900)
        reply = self.admin.get(
            f"/os-console-auth-tokens/{token}", version="2.99"
        )
        self.assertEqual(404, reply.status)
