# SPDX-License-Identifier: Apache-2.0
"""Serial and SPICE consoles in a real browser."""

from selenium.webdriver.common.by import By

from console_api.tests.functional import base
from console_api.tests.functional.browser_base import BrowserTestCase


@base.on_databases("sqlite")
class SerialTests(BrowserTestCase):
    """The serial port of QEMU, whose guest echoes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.start_guest()

    def terminal(self):
        """Return the text on the terminal, as screen readers find it."""
        return self.browser.run(
            "return [...document.querySelectorAll("
            "'.xterm-accessibility-tree [role=listitem]')]"
            ".map((line) => line.textContent).join('\\n')"
        )

    def open(self):
        """Open a new console."""
        token = self.token_for(self.guest.serial_port, "serial", "serial")
        self.browser.open(f"{self.gateway.url}/serial.html?token={token}")
        self.assert_connected()

    def test_typed_text_is_echoed(self):
        self.open()
        self.browser.type("hello world")
        self.eventually(lambda: "hello world" in self.terminal())

    def test_pasted_text_is_typed(self):
        self.open()
        self.press("Type text")
        area = self.browser.driver.find_element(
            By.CSS_SELECTOR, ".panel:not([hidden]) textarea"
        )
        area.send_keys('Any "text" {~} at once')
        self.press("Type")
        self.eventually(lambda: 'Any "text" {~} at once' in self.terminal())

    def test_view_only_switch_drops_keys(self):
        self.open()
        self.press("View only")
        self.browser.driver.find_element(
            By.CSS_SELECTOR, ".xterm-helper-textarea"
        ).send_keys("dropped")
        self.press("View only")
        self.browser.driver.find_element(
            By.CSS_SELECTOR, ".xterm-helper-textarea"
        ).send_keys("kept")
        self.eventually(lambda: "kept" in self.terminal())
        self.assertNotIn("dropped", self.terminal())


@base.on_databases("sqlite")
class SpiceTests(BrowserTestCase):
    """The SPICE display of QEMU."""

    def test_page_shows_screen_and_keys_arrive(self):
        guest = self.start_guest(spice=True)
        token = self.token_for(guest.port, "spice", "spice-html5")
        self.browser.open(f"{self.gateway.url}/spice_auto.html?token={token}")
        self.assert_connected()
        self.eventually(lambda: self.browser.screen() is not None)
        before = self.browser.screen()
        with guest.keys() as keys:
            self.browser.driver.find_element(
                By.CSS_SELECTOR, "#spice-display canvas"
            ).click()
            self.browser.type("spice")
            self.assertEqual("spice", keys.read(5))
        self.eventually(lambda: self.browser.screen() != before)


@base.on_databases("sqlite")
class LimitTests(BrowserTestCase):
    """A server may have one session."""

    options = {"sessions": {"max_per_server": "1"}}

    def test_page_names_the_limit_that_is_reached(self):
        guest = self.start_guest()
        server_id = self.make_server(
            endpoints={
                "serial": {"host": "127.0.0.1", "port": guest.serial_port}
            }
        )

        def open_console():
            token = self.issue_token(server_id, "serial", "serial")
            self.browser.open(f"{self.gateway.url}/serial.html?token={token}")

        open_console()
        self.assert_connected()
        self.browser.open_window()
        open_console()
        self.browser.wait_for_text("#status", "There are too many open")
        self.assertIn("of this server", self.browser.text("#status"))
