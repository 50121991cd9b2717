# SPDX-License-Identifier: Apache-2.0
"""A person sees the server's screen: real VNC servers, a real viewer."""

import socket
import subprocess
from pathlib import Path

from console_api.db import tables
from console_api.tests.functional import (
    certificates,
    configuration,
    http_door,
    vnc_servers,
)
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.test_agent import NOBODY

WHITE = (255, 255, 255)


class ScreenTestCase(AgentTestCase):
    backend = "sqlite"

    def screen(self, start, *arguments, **kwargs):
        """Start a VNC server that ends with the test."""
        server = start(*arguments, **kwargs)
        self.addCleanup(server.stop)
        return server

    def assert_same_picture(self, access, screen, password=None):
        """Assert that the console shows what the server itself shows."""
        seen = vnc_servers.capture(access.port, access.password)
        expected = vnc_servers.capture(screen.port, password)
        self.assertEqual(expected.size, seen.size)
        self.assertEqual(expected.tobytes(), seen.tobytes())
        return seen


class XvncTests(ScreenTestCase):
    agent_options = {"vnc": {"endpoint_password": "compute-* s3cret"}}

    def test_a_screen_without_password(self):
        screen = self.screen(vnc_servers.xvnc)
        access = self.make_access(screen.port)
        picture = self.assert_same_picture(access, screen)
        self.assertEqual(WHITE, picture.getpixel((160, 120)))

    def test_a_screen_with_a_password_that_only_the_agent_knows(self):
        screen = self.screen(vnc_servers.xvnc, "s3cret")
        access = self.make_access(screen.port)
        picture = self.assert_same_picture(access, screen, "s3cret")
        self.assertEqual(WHITE, picture.getpixel((160, 120)))
        self.assertNotIn("s3cret", self.agent.log)

    def test_the_wrong_password_shows_nothing(self):
        screen = self.screen(vnc_servers.xvnc)
        access = self.make_access(screen.port)
        with self.assertRaises(subprocess.CalledProcessError):
            vnc_servers.capture(access.port, "wrong")

    def test_each_version_of_the_protocol(self):
        screen = self.screen(vnc_servers.xvnc)
        access = self.make_access(screen.port)
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

    def test_a_server_that_moves_is_found_where_it_is_now(self):
        first = self.screen(vnc_servers.xvnc)
        access = self.make_access(first.port)
        vnc_servers.capture(access.port, access.password)
        first.stop()
        second = self.screen(vnc_servers.xvnc)
        endpoints = tables.server_endpoints
        self.database.execute(
            endpoints.update().where(
                endpoints.c.server_id == access.path.split("/")[2]
            ),
            {"port": second.port},
        )
        self.assert_same_picture(access, second)

    def test_deleting_the_console_closes_the_session(self):
        screen = self.screen(vnc_servers.xvnc)
        access = self.make_access(screen.port)
        with access.viewer() as viewer:
            self.assertEqual(0, viewer.authenticate(access.password))
            viewer.open()
            self.delete(access)
            self.assertTrue(viewer.is_closed())

    def test_a_screen_that_ends_closes_the_session(self):
        screen = self.screen(vnc_servers.xvnc)
        access = self.make_access(screen.port)
        with access.viewer() as viewer:
            viewer.authenticate(access.password)
            viewer.open()
            screen.stop()
            self.assertTrue(viewer.is_closed())


class QEMUTests(ScreenTestCase):
    def test_the_firmware_of_a_machine_is_seen(self):
        screen = self.screen(vnc_servers.qemu)
        access = self.make_access(screen.port)
        picture = vnc_servers.capture(access.port, access.password)
        self.assertGreaterEqual(picture.width, 640)

        def shows_text():
            seen = vnc_servers.capture(access.port, access.password)
            return len(set(seen.convert("L").tobytes())) > 1

        self.eventually(shows_text)


class TLSTests(ScreenTestCase):
    """TLS that the VNC server asks for, as QEMU does (VeNCrypt)."""

    def all_options(self):
        self.authority = certificates.make(configuration.temporary_folder())
        return {
            **super().all_options(),
            "vnc": {"tls_ca_file": str(self.authority.ca_file)},
        }

    def tls_machine(self, folder: Path):
        return self.screen(
            vnc_servers.qemu,
            *(
                "-object",
                f"tls-creds-x509,id=tls,dir={folder},endpoint=server,verify-peer=no",
            ),
            vnc_options=",tls-creds=tls",
        )

    def test_a_compute_host_that_we_know(self):
        screen = self.tls_machine(self.authority.folder)
        access = self.make_access(screen.port)
        picture = vnc_servers.capture(access.port, access.password)
        self.assertGreaterEqual(picture.width, 640)

    def test_a_compute_host_that_we_do_not_know(self):
        stranger = certificates.make(configuration.temporary_folder())
        screen = self.tls_machine(stranger.folder)
        access = self.make_access(screen.port)
        with access.viewer() as viewer:
            self.assertEqual(1, viewer.authenticate(access.password))
            self.assertIn("cannot be reached", viewer.reason())
        self.eventually_logged("certificate verify failed")


class DoorTests(ScreenTestCase):
    """Screens behind an HTTP server, as those of XenServer."""

    def all_options(self):
        self.authority = certificates.make(configuration.temporary_folder())
        return {
            **super().all_options(),
            "vnc": {"tls_ca_file": str(self.authority.ca_file)},
        }

    def test_a_screen_behind_http_connect(self):
        screen = self.screen(vnc_servers.xvnc)
        path = "/console?uuid=1&session_id=2"
        for tls in (None, self.authority):
            with (
                self.subTest(tls=tls),
                http_door.HTTPDoor({path: screen.port}, tls) as door,
            ):
                ports = {"tls_port": door.port} if tls else {}
                access = self.make_access(
                    door.port, internal_access_path=path, **ports
                )
                self.assert_same_picture(access, screen)

    def test_a_door_that_stays_closed(self):
        with http_door.HTTPDoor({}) as door:
            access = self.make_access(
                door.port, internal_access_path="/elsewhere"
            )
            with access.viewer() as viewer:
                self.assertEqual(1, viewer.authenticate(access.password))
                self.assertIn("cannot be reached", viewer.reason())
        self.eventually_logged("404")


class UnreachableTests(ScreenTestCase):
    agent_options = {"vnc": {"connect_timeout": "1"}}

    def assert_refused(self, access, logged):
        with access.viewer() as viewer:
            self.assertEqual(1, viewer.authenticate(access.password))
            self.assertIn("cannot be reached", viewer.reason())
            self.assertTrue(viewer.is_closed())
        self.eventually_logged(logged)

    def test_nobody_serves_the_screen(self):
        self.assert_refused(self.make_access(NOBODY), "Connect call failed")

    def test_a_screen_with_a_password_that_we_do_not_know(self):
        screen = self.screen(vnc_servers.xvnc, "other")
        self.assert_refused(self.make_access(screen.port), "password")

    def test_a_screen_that_does_not_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            access = self.make_access(silent.getsockname()[1])
            self.assert_refused(access, "The display did not answer in time")

    def test_a_server_without_a_screen(self):
        server_id = self.make_server(endpoints={})
        self.assert_refused(
            self.open_console(server_id), "has no VNC endpoint"
        )

    def test_old_viewers_are_closed_without_a_reason(self):
        access = self.make_access(NOBODY)
        for version in ("003.003", "003.007"):
            with self.subTest(version), access.viewer() as viewer:
                self.assertEqual(
                    1, viewer.authenticate(access.password, version)
                )
                self.assertTrue(viewer.is_closed())


del AgentTestCase, ScreenTestCase
