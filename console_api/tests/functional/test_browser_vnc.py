# SPDX-License-Identifier: Apache-2.0
"""VNC consoles in a real browser."""

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from console_api.tests.functional import base, browser_displays, vnc_servers
from console_api.tests.functional.browser_base import BrowserTestCase


@base.on_databases("sqlite")
class VncTests(browser_displays.InputTests, BrowserTestCase):
    """A guest of QEMU, over plain HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.start_guest()

    def open(self, path="/vnc_auto.html?path=%3Ftoken%3D{}&title=web1(1)"):
        """Open a new console; return its token."""
        token = self.token_for(self.guest.port)
        self.browser.open(self.gateway.url + path.format(token))
        self.assert_connected()
        return token

    def assert_same_picture(self):
        """Wait until the page shows the display pixel by pixel."""
        self.eventually(
            lambda: (
                self.browser.screen() == vnc_servers.capture(self.guest.port)
            )
        )

    def test_page_shows_screen_and_keys_arrive(self):
        self.open()
        self.assertEqual("web1(1)", self.browser.text("#title"))
        self.assert_same_picture()
        before = self.browser.screen()
        with self.guest.keys() as keys:
            self.browser.type("hello world")
            self.assertEqual("hello world", keys.read(11))
        self.eventually(lambda: self.browser.screen() != before)
        self.assert_same_picture()

    def test_urls_of_today_work(self):
        for path in (
            "/vnc_auto.html?path=%3Ftoken%3D{}",
            "/vnc_lite.html?path=%3Ftoken%3D{}",
            "/vnc.html?path=websockify%3Ftoken%3D{}",
            "/?token={}",
        ):
            with self.subTest(path):
                self.open(path)

    def test_token_stays_nowhere(self):
        token = self.open()
        page = self.browser.run(
            "return [location.href, document.referrer, document.cookie,"
            " document.documentElement.outerHTML,"
            " JSON.stringify(sessionStorage), JSON.stringify(localStorage),"
            " JSON.stringify(performance.getEntriesByType('resource'))]"
            ".join(' ')"
        )
        self.assertNotIn(token, page)
        self.browser.driver.back()
        self.assertNotIn(token, self.browser.driver.current_url)
        self.assert_not_logged(token)

    def test_refused_token_beside_key_leaves_address(self):
        self.browser.open(
            f"{self.gateway.url}/?token=wrong#console={'c' * 23}"
        )
        self.wait_for_reason("not valid any more")
        self.assertNotIn("wrong", self.browser.driver.current_url)

    def test_session_ends_when_the_page_is_left_or_reloaded(self):
        self.open()
        self.assertEqual(1, self.count_sessions())
        self.browser.open("about:blank")
        self.eventually(lambda: self.count_sessions() == 0)
        # The browser has kept the page.
        self.browser.driver.back()
        self.eventually(lambda: self.count_sessions() == 1)
        self.assert_connected()
        self.browser.driver.refresh()
        self.eventually(lambda: self.count_sessions() == 0)

    def count_sessions(self):
        """Return how many sessions the project has."""
        return len(self.member.get("/os-console-sessions").json["sessions"])

    def test_used_link_is_refused_in_words(self):
        token = self.open()
        self.browser.open_window()
        self.browser.open(
            f"{self.gateway.url}/vnc_auto.html?path=%3Ftoken%3D{token}"
        )
        self.wait_for_reason("This link was used already.")

    def test_parameters_lead_nowhere_else(self):
        self.open(
            "/vnc_auto.html?path=%3Ftoken%3D{}&host=192.0.2.1&port=1&encrypt=1"
        )

    def test_what_layout_cannot_type_is_said(self):
        self.open()
        panel = self.enter_text("caf\u00e9 \u65e5")
        self.assertIn("\u00e9 \u65e5", panel.text)
        Select(panel.find_element(By.TAG_NAME, "select")).select_by_value("fr")
        self.assertNotIn("\u00e9 \u65e5", panel.text)
        self.assertIn("\u65e5", panel.text)

    def test_revoked_console_ends_with_reason_while_typing(self):
        server_id = self.make_server(
            endpoints={"vnc": {"host": "127.0.0.1", "port": self.guest.port}}
        )
        token = self.issue_token(server_id)
        self.browser.open(f"{self.gateway.url}/?token={token}")
        self.assert_connected()
        self.browser.type("abc")
        reply = self.admin.delete(f"/servers/{server_id}/remote-consoles")
        self.assertEqual(204, reply.status)
        self.browser.type("def")
        self.wait_for_reason("The console was revoked")

    def test_escape_closes_panel(self):
        self.open()
        panel = self.open_panel("Clipboard")
        self.browser.type(Keys.ESCAPE)
        self.eventually(lambda: not panel.is_displayed())
