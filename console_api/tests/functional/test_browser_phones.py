# SPDX-License-Identifier: Apache-2.0
"""The page on a phone, in another language."""

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from console_api.tests.functional import base
from console_api.tests.functional.browser_base import BrowserTestCase

# In pixels, of a small phone.
WIDTH, HEIGHT = 360, 640


@base.on_databases("sqlite")
class PhoneTests(BrowserTestCase):
    """A guest of QEMU on an emulated touch screen."""

    def setUp(self):
        super().setUp()
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=WIDTH,
            height=HEIGHT,
            deviceScaleFactor=2,
            mobile=True,
        )
        self.command("Emulation.setTouchEmulationEnabled", enabled=True)
        self.command(
            "Emulation.setUserAgentOverride",
            userAgent="phone",
            acceptLanguage="xx,de-CH,en",
        )

    def command(self, name, **parameters):
        """Send a command of the DevTools protocol."""
        self.browser.driver.execute_cdp_cmd(name, parameters)

    def write(self, text):
        """Insert a text as phones do: at once, instead of pressing keys."""
        self.command("Input.insertText", text=text)

    def open(self, port, protocol="vnc", console_type="novnc"):
        """Open a new console."""
        token = self.token_for(port, protocol, console_type)
        self.browser.open(f"{self.gateway.url}/?token={token}")
        self.browser.wait_for_text("#status", "Verbunden")

    def assert_keyboard_types(self, guest):
        """Open the keyboard, and assert that its input arrives."""
        with guest.keys() as keys:
            self.press("Tastatur")
            self.write("Word@")
            self.write("\n")
            self.assertEqual("Word@\r", keys.read(6))
            self.browser.type(Keys.BACKSPACE)
            self.assertEqual("\b", keys.read(1))

    def test_keyboard_types_into_vnc_display(self):
        guest = self.start_guest()
        self.open(guest.port)
        self.assert_keyboard_types(guest)

    def test_keyboard_types_into_spice_display(self):
        guest = self.start_guest(spice=True)
        self.open(guest.port, "spice", "spice-html5")
        self.assert_keyboard_types(guest)

    def test_keyboard_types_into_terminal(self):
        guest = self.start_guest()
        self.open(guest.serial_port, "serial", "serial")
        self.press("Tastatur")
        self.write("Word@\u00fc")
        self.eventually(lambda: "Word@\u00fc" in self.terminal_text())

    def test_keyboard_uses_chosen_layout(self):
        guest = self.start_guest()
        self.open(guest.port)
        panel = self.open_panel("Text eintippen")
        Select(panel.find_element(By.TAG_NAME, "select")).select_by_value("de")
        with guest.keys() as keys:
            self.press("Tastatur")
            self.write("xyz")
            # The guest has a US layout, where Y and Z are swapped.
            self.assertEqual("xzy", keys.read(3))
            self.write("\u4e16x")
            self.browser.wait_for_text("#status", "Tasten f\u00fcr: \u4e16")
            self.assertEqual("x", keys.read(1))
            self.write("x")
            self.browser.wait_for_text("#status", "Verbunden")

    def test_panels_fit_screen(self):
        self.open(self.start_guest().port)
        for label in ("Tasten", "Zwischenablage", "Text eintippen"):
            with self.subTest(label):
                self.press(label)
                left, right, page = self.browser.run(
                    "const box = document.querySelector("
                    "'.panel:not([hidden])').getBoundingClientRect();"
                    "return [box.left, box.right,"
                    " document.documentElement.scrollWidth]"
                )
                self.assertGreaterEqual(left, 0)
                self.assertLessEqual(right, WIDTH)
                self.assertEqual(WIDTH, page)
