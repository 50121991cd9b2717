# SPDX-License-Identifier: Apache-2.0
"""The page on a phone, in another language."""

from selenium.webdriver.common.keys import Keys

from console_api.tests.functional import base
from console_api.tests.functional.browser_base import BrowserTestCase

# In pixels, of a small phone.
WIDTH, HEIGHT = 360, 640


@base.on_databases("sqlite")
class PhoneTests(BrowserTestCase):
    """A guest of QEMU on an emulated touch screen."""

    def setUp(self):
        super().setUp()
        self.guest = self.start_guest()
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
        token = self.token_for(self.guest.port)
        self.browser.open(f"{self.gateway.url}/?token={token}")
        self.browser.wait_for_text("#status", "Verbunden")

    def command(self, name, **parameters):
        """Send a command of the DevTools protocol."""
        self.browser.driver.execute_cdp_cmd(name, parameters)

    def test_button_opens_keyboard_whose_input_arrives(self):
        with self.guest.keys() as keys:
            self.press("Tastatur")
            # Phones insert whole words instead of pressing keys.
            self.command("Input.insertText", text="word")
            self.assertEqual("word", keys.read(4))
            self.browser.type(Keys.BACKSPACE)
            self.assertEqual("\b", keys.read(1))

    def test_panels_fit_screen(self):
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
