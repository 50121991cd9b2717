# SPDX-License-Identifier: Apache-2.0
"""Displays with TLS (VeNCrypt) and with a power menu, in a real browser."""

import struct

from console_api.tests import certificates
from console_api.tests.functional import (
    base,
    configuration,
    rfb_screen,
    vnc_servers,
)
from console_api.tests.functional.browser_base import BrowserTestCase
from console_api.tests.functional.rfb_screen import Screen

# Ask for the extension "xvp", and then for a shutdown.
XVP = struct.pack(">BxHii", 2, 2, rfb_screen.RAW, -309)
SHUTDOWN = b"\xfa\0\1\2"

POWERDOWN = "qemu_system_powerdown_request"


@base.on_databases("sqlite")
class DisplayTests(BrowserTestCase):
    """The gateway requires TLS of displays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = certificates.make(configuration.temporary_folder())
        cls.gateway_options = {
            "vnc": {
                "endpoint_password": "compute-* s3cret",
                "endpoint_tls_ca_file": str(cls.authority.ca_file),
                "endpoint_tls_required": "compute-*",
            }
        }
        cls.guest = cls.start_guest(
            "-object",
            f"tls-creds-x509,id=tls,dir={cls.authority.folder},"
            "endpoint=server,verify-peer=no",
            *("-trace", f"enable={POWERDOWN}"),
            vnc_options=",tls-creds=tls,power-control=on",
        )

    def open(self, port=None, gateway=None):
        """Open a new console."""
        token = self.token_for(port or self.guest.port)
        url = (gateway or self.gateway).url
        self.browser.open(f"{url}/vnc_auto.html?path=%3Ftoken%3D{token}")
        self.assert_connected()

    def confirm(self, question):
        """Press OK in a dialog that asks a question."""
        alert = self.browser.driver.switch_to.alert
        self.assertEqual(question, alert.text)
        alert.accept()

    def test_qemu_with_tls_shows_keys(self):
        self.open()
        before = self.browser.screen()
        with self.guest.keys() as keys:
            self.browser.type("secret")
            self.assertEqual("secret", keys.read(6))
        self.eventually(lambda: self.browser.screen() != before)

    def test_xvnc_with_tls_and_password(self):
        display = vnc_servers.xvnc(
            "s3cret",
            *("-SecurityTypes", "X509Vnc,VncAuth", "-Log", "*:stderr:100"),
            *("-X509Cert", str(self.authority.certificate_file)),
            *("-X509Key", str(self.authority.key_file)),
        )
        self.addCleanup(display.stop)
        self.open(display.port)
        shown = vnc_servers.capture(display.port, "s3cret")
        self.eventually(lambda: self.browser.screen() == shown)
        self.browser.type("a")
        self.eventually(lambda: "Key pressed" in display.log)

    def test_power_menu_asks_and_acts(self):
        self.open()
        before = self.browser.screen()
        self.browser.type("hello")
        self.eventually(lambda: self.browser.screen() != before)
        self.press("Power")
        self.press("Shut down")
        self.browser.driver.switch_to.alert.dismiss()
        self.press("Reset")
        self.confirm("Reset the server?")
        # The guest has started again.
        self.eventually(lambda: self.browser.screen() == before)
        self.assertNotIn(POWERDOWN, self.guest.log)
        self.press("Shut down")
        self.confirm("Shut down the server?")
        self.eventually(lambda: POWERDOWN in self.guest.log)
        with self.guest.keys() as keys:
            self.browser.type("x")
            self.assertEqual("x", keys.read(1))
        self.press("Reboot")
        self.confirm("Reboot the server?")
        # QEMU lacks this action, and says so.
        self.browser.wait_for_log("XVP operation failed")

    def test_view_only_session_has_no_power(self):
        options = {"gateway": {"view_only": "true"}, **self.gateway_options}
        gateway = self.start_gateway(options)
        self.open(gateway=gateway)
        self.assertIsNone(self.find_button("Power"))
        before = self.guest.log
        path = f"/?token={self.token_for(self.guest.port)}"
        with gateway.viewer(path) as viewer:
            viewer.begin()
            viewer.send(XVP + SHUTDOWN)
            Screen(viewer, rfb_screen.RAW).receive_update()
        self.assertEqual(before, self.guest.log)
