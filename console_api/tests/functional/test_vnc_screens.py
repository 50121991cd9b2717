# SPDX-License-Identifier: Apache-2.0
"""Consoles show the displays of servers: real VNC servers and viewers."""

import contextlib
import socket
import struct
import subprocess
from pathlib import Path

from console_api.db import tables
from console_api.tests import certificates
from console_api.tests.functional import (
    configuration,
    http_connect,
    rfb_screen,
    vnc_servers,
)
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.test_agent import CLOSED_PORT

WHITE = (255, 255, 255)


class DisplayTestCase(AgentTestCase):
    backend = "sqlite"

    def start_display(self, start, *arguments, **kwargs):
        """Start a VNC server that stops when the test ends."""
        server = start(*arguments, **kwargs)
        self.addCleanup(server.stop)
        return server

    def move(self, access, port):
        """Change the port of the display of a server."""
        endpoints = tables.server_endpoints
        self.database.execute(
            endpoints.update().where(
                endpoints.c.server_id == access.path.split("/")[2]
            ),
            {"port": port},
        )

    def assert_same_picture(self, access, display, password=None):
        """Assert that the console shows the picture of the display."""
        actual = vnc_servers.capture(access.port, access.password)
        expected = vnc_servers.capture(display.port, password)
        self.assertEqual(expected.size, actual.size)
        self.assertEqual(expected.tobytes(), actual.tobytes())
        return actual


class XvncTests(DisplayTestCase):
    agent_options = {"vnc": {"endpoint_password": "compute-* s3cret"}}

    def test_display_without_password(self):
        display = self.start_display(vnc_servers.xvnc)
        access = self.make_access(display.port)
        picture = self.assert_same_picture(access, display)
        self.assertEqual(WHITE, picture.getpixel((160, 120)))

    def test_display_with_password(self):
        display = self.start_display(vnc_servers.xvnc, "s3cret")
        access = self.make_access(display.port)
        picture = self.assert_same_picture(access, display, "s3cret")
        self.assertEqual(WHITE, picture.getpixel((160, 120)))
        self.assertNotIn("s3cret", self.agent.log)

    def test_wrong_console_password_is_refused(self):
        display = self.start_display(vnc_servers.xvnc)
        access = self.make_access(display.port)
        with self.assertRaises(subprocess.CalledProcessError):
            vnc_servers.capture(access.port, "wrong")

    def test_each_rfb_version(self):
        display = self.start_display(vnc_servers.xvnc)
        access = self.make_access(display.port)
        for version in ("003.003", "003.007", "003.008", "003.005"):
            with self.subTest(version), access.viewer() as viewer:
                if version == "003.005":  # Treated as 3.3: RFC 6143, 7.1.1.
                    self.assertEqual(b"RFB 003.008\n", viewer.receive(12))
                    viewer.send(b"RFB 003.005\n")
                    self.assertEqual(b"\0\0\0\2", viewer.receive(4))
                    continue
                self.assertEqual(
                    0, viewer.authenticate(access.password, version)
                )
                self.assertIn("@", viewer.open())

    def test_moved_server_is_found(self):
        first = self.start_display(vnc_servers.xvnc)
        access = self.make_access(first.port)
        vnc_servers.capture(access.port, access.password)
        first.stop()
        second = self.start_display(vnc_servers.xvnc)
        self.move(access, second.port)
        self.assert_same_picture(access, second)

    def test_deleting_console_closes_session(self):
        display = self.start_display(vnc_servers.xvnc)
        access = self.make_access(display.port)
        with access.viewer() as viewer:
            self.assertEqual(0, viewer.authenticate(access.password))
            viewer.open()
            self.delete(access)
            self.assertTrue(viewer.is_closed())


class ReturningDisplayTests(DisplayTestCase):
    """Displays that go away under a viewer."""

    @contextlib.contextmanager
    def open_screen(self, access, encoding):
        with access.viewer() as viewer:
            self.assertEqual(0, viewer.authenticate(access.password))
            viewer.open()
            yield rfb_screen.Screen(viewer, encoding)

    def assert_shows(self, screen, display):
        """Assert that a viewer receives the picture of a display."""
        expected = vnc_servers.capture(display.port)
        while (screen.picture.size, screen.picture.tobytes()) != (
            expected.size,
            expected.tobytes(),
        ):
            screen.receive_update()
            screen.request()

    def test_server_that_moves_and_changes_size(self):
        first = self.start_display(vnc_servers.xvnc)
        access = self.make_access(first.port)
        with self.open_screen(access, rfb_screen.RAW) as screen:
            self.assert_shows(screen, first)
            first.stop()
            second = self.start_display(
                vnc_servers.xvnc, None, "-geometry", "400x300", "-br"
            )
            self.move(access, second.port)
            self.assert_shows(screen, second)
        self.assertEqual((400, 300), screen.picture.size)
        self.eventually_logged("closed by the viewer")
        self.assertIn("reconnected to its display", self.agent.log)
        self.assertEqual(1, self.agent.log.count("Session started"))

    def test_compressed_pictures_continue(self):
        first = self.start_display(vnc_servers.qemu, "-S")
        access = self.make_access(first.port)
        with self.open_screen(access, rfb_screen.ZLIB) as screen:
            self.assert_shows(screen, first)
            first.stop()
            screen.picture.paste(WHITE, (0, 0, *screen.picture.size))
            second = self.start_display(vnc_servers.qemu, "-S")
            self.move(access, second.port)
            self.assert_shows(screen, second)


class QEMUTests(DisplayTestCase):
    def test_firmware_is_displayed(self):
        display = self.start_display(vnc_servers.qemu)
        access = self.make_access(display.port)
        picture = vnc_servers.capture(access.port, access.password)
        self.assertGreaterEqual(picture.width, 640)

        def is_text_displayed():
            picture = vnc_servers.capture(access.port, access.password)
            return len(set(picture.convert("L").tobytes())) > 1

        self.eventually(is_text_displayed)

    def test_viewers_share_the_display(self):
        display = self.start_display(vnc_servers.qemu)
        access = self.make_access(display.port)
        with access.viewer() as first, access.viewer() as second:
            for viewer in (first, second):
                result = viewer.authenticate(access.password)
                self.assertEqual(0, result, self.agent.log)
                self.assertIn("QEMU", viewer.open(shared=False))
            # Ask for a single pixel.
            first.send(struct.pack(">BBHHHH", 3, 0, 0, 0, 1, 1))
            self.assertEqual(b"\0", first.receive(1))


class TLSTests(DisplayTestCase):
    """TLS that the display offers itself (VeNCrypt), and that is required."""

    def all_options(self):
        self.authority = certificates.make(configuration.temporary_folder())
        return {
            **super().all_options(),
            "vnc": {
                "endpoint_password": "compute-* s3cret",
                "endpoint_tls_ca_file": str(self.authority.ca_file),
                "endpoint_tls_required": "compute-*",
            },
        }

    def start_tls_display(self, folder: Path):
        return self.start_display(
            vnc_servers.qemu,
            *(
                "-object",
                f"tls-creds-x509,id=tls,dir={folder},endpoint=server,verify-peer=no",
            ),
            vnc_options=",tls-creds=tls",
        )

    def test_valid_certificate(self):
        display = self.start_tls_display(self.authority.folder)
        access = self.make_access(display.port)
        picture = vnc_servers.capture(access.port, access.password)
        self.assertGreaterEqual(picture.width, 640)

    def test_valid_certificate_and_password(self):
        display = self.start_display(
            vnc_servers.xvnc,
            "s3cret",
            *("-SecurityTypes", "X509Vnc,VncAuth"),
            *("-X509Cert", str(self.authority.certificate_file)),
            *("-X509Key", str(self.authority.key_file)),
        )
        access = self.make_access(display.port)
        self.assert_same_picture(access, display, "s3cret")

    def test_display_without_certificate_is_refused(self):
        display = self.start_display(vnc_servers.xvnc, "s3cret")
        access = self.make_access(display.port)
        with access.viewer() as viewer:
            self.assertEqual(1, viewer.authenticate(access.password))
        self.eventually_logged("TLS is required for its compute host")

    def test_authority_becomes_known_without_restart(self):
        other_authority = certificates.make(configuration.temporary_folder())
        display = self.start_tls_display(other_authority.folder)
        access = self.make_access(display.port)
        with access.viewer() as viewer:
            self.assertEqual(1, viewer.authenticate(access.password))
            self.assertIn("cannot be reached", viewer.reason())
        self.eventually_logged("certificate verify failed")
        with self.authority.ca_file.open("ab") as file:
            file.write(other_authority.ca_file.read_bytes())
        with access.viewer() as viewer:
            self.assertEqual(0, viewer.authenticate(access.password))


class HTTPConnectTests(DisplayTestCase):
    """Displays behind an HTTP server, as in XenServer."""

    def all_options(self):
        self.authority = certificates.make(configuration.temporary_folder())
        return {
            **super().all_options(),
            "vnc": {"endpoint_tls_ca_file": str(self.authority.ca_file)},
        }

    def test_display_with_and_without_tls(self):
        display = self.start_display(vnc_servers.xvnc)
        path = "/console?uuid=1&session_id=2"
        for tls in (None, self.authority):
            with (
                self.subTest(tls=tls),
                http_connect.ConnectServer(
                    {path: display.port}, tls
                ) as server,
            ):
                ports = {"tls_port": server.port} if tls else {}
                access = self.make_access(
                    server.port, internal_access_path=path, **ports
                )
                self.assert_same_picture(access, display)

    def test_refused_request_is_logged(self):
        with http_connect.ConnectServer({}) as server:
            access = self.make_access(
                server.port, internal_access_path="/elsewhere"
            )
            with access.viewer() as viewer:
                self.assertEqual(1, viewer.authenticate(access.password))
                self.assertIn("cannot be reached", viewer.reason())
        self.eventually_logged("404")


class UnreachableTests(DisplayTestCase):
    agent_options = {"vnc": {"connect_timeout": "1"}}

    def assert_refused(self, access, logged):
        with access.viewer() as viewer:
            self.assertEqual(1, viewer.authenticate(access.password))
            self.assertIn("cannot be reached", viewer.reason())
            self.assertTrue(viewer.is_closed())
        self.eventually_logged(logged)

    def test_closed_port(self):
        self.assert_refused(
            self.make_access(CLOSED_PORT), "Connection refused"
        )

    def test_display_with_unknown_password(self):
        display = self.start_display(vnc_servers.xvnc, "other")
        self.assert_refused(self.make_access(display.port), "password")

    def test_silent_display(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            access = self.make_access(silent.getsockname()[1])
            self.assert_refused(access, "The display did not answer in time")

    def test_server_without_endpoint(self):
        server_id = self.make_server(endpoints={})
        self.assert_refused(
            self.open_console(server_id), "has no VNC endpoint"
        )


del AgentTestCase, DisplayTestCase
