# SPDX-License-Identifier: Apache-2.0
"""Viewers with windows show consoles: TigerVNC, and GVncViewer of gtk-vnc."""

from console_api.tests import certificates, prerequisites
from console_api.tests.functional import configuration, vnc_servers
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.desktop import (
    HEIGHT,
    RETURN,
    WIDTH,
    Desktop,
    Screen,
    contains,
)

# The part of the display that no viewer covers with a hint or a cursor.
_UNCOVERED = (0, 180, 320, 240)


class ViewerTestCase(AgentTestCase):
    backend = "sqlite"

    def setUp(self):
        super().setUp()
        # Its root window has a pattern.
        self.display = vnc_servers.xvnc(None, "-retro")
        self.addCleanup(self.display.stop)
        self.access = self.make_access(self.display.port)
        self.desktop = Desktop()
        self.addCleanup(self.desktop.stop)

    def assert_display_is_shown(self, screen):
        with Screen(self.display.port) as display:
            picture = display.picture().crop(_UNCOVERED)
        self.assertEqual(2, len(picture.getcolors()))
        self.eventually(lambda: contains(screen.picture(), picture))


class TigerVNCTests(ViewerTestCase):
    def all_options(self):
        self.authority = certificates.make(configuration.temporary_folder())
        return {
            **super().all_options(),
            "vnc": {
                "tls_cert_file": str(self.authority.certificate_file),
                "tls_key_file": str(self.authority.key_file),
                "tls_required": "true",
            },
        }

    def test_display_is_shown_with_tls(self):
        password = vnc_servers.password_file(self.access.password)
        self.desktop.start(
            prerequisites.find_program("xtigervncviewer"),
            *("-SecurityTypes", "X509Vnc", "-PasswordFile", str(password)),
            *("-X509CA", str(self.authority.ca_file)),
            *("-NoJPEG", "-RemoteResize=0", "-ReconnectOnError=0"),
            f"127.0.0.1::{self.access.port}",
        )
        with self.desktop.screen() as screen:
            self.assert_display_is_shown(screen)
        self.assertIn("security X509Vnc", self.agent.log)


class GVncViewerTests(ViewerTestCase):
    """Without TLS: authorities would have to be in the home directory."""

    def test_display_is_shown_after_password_is_typed(self):
        self.desktop.start(
            prerequisites.find_program("gvncviewer"),
            f"127.0.0.1:{self.access.port - 5900}",
        )
        with self.desktop.screen() as screen:
            empty = screen.picture().tobytes()
            screen.point(20, 20)
            # The prompt.
            self.eventually(lambda: screen.picture().tobytes() != empty)
            screen.type(*self.access.password.encode(), RETURN)
            screen.point(WIDTH - 1, HEIGHT - 1)
            self.assert_display_is_shown(screen)


del AgentTestCase, ViewerTestCase
