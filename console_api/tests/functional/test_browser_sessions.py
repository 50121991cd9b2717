# SPDX-License-Identifier: Apache-2.0
"""Sessions of the page over HTTPS: reloads, tabs, frames, lost connections."""

import http.server
import ssl
import threading

from console_api.tests import certificates
from console_api.tests.functional import base, configuration
from console_api.tests.functional.browser_base import SecureBrowserTestCase
from console_api.tests.functional.tcp_proxy import TCPProxy
from console_api.tests.ports import free_port

RELOADS = 20


@base.on_databases("sqlite")
class SessionTests(SecureBrowserTestCase):
    """The secret is in a cookie that no script can read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.start_guest()

    def path(self):
        """Return the path of a new console, with its token."""
        token = self.token_for(self.guest.port)
        return f"/vnc_auto.html?path=%3Ftoken%3D{token}"

    def test_secret_is_in_cookie_alone(self):
        self.browser.open(self.gateway.url + self.path())
        self.assert_connected()
        [cookie] = self.browser.driver.get_cookies()
        self.assertTrue(cookie["httpOnly"] and cookie["secure"], cookie)
        self.assertEqual("None", cookie["sameSite"])
        page = self.browser.run(
            "return document.cookie + location.href"
            " + JSON.stringify(sessionStorage)"
        )
        self.assertNotIn(cookie["value"], page)

    def test_page_survives_many_reloads(self):
        self.browser.open(self.gateway.url + self.path())
        for _ in range(RELOADS):
            self.assert_connected()
            self.browser.driver.refresh()
        self.assert_connected()

    def test_second_window_takes_over(self):
        self.browser.open(self.gateway.url + self.path())
        self.assert_connected()
        address = self.browser.driver.current_url
        first = self.browser.driver.current_window_handle
        # Another window of the same site shares cookies, but no storage.
        self.browser.run("window.open(arguments[0], '_blank')", address)
        second = self.browser.driver.window_handles[-1]
        self.browser.driver.switch_to.window(second)
        self.assert_connected()
        self.browser.driver.switch_to.window(first)
        self.wait_for_reason("This console was opened in another window.")

    def test_two_consoles_of_a_server_do_not_disturb_each_other(self):
        self.browser.open(self.gateway.url + self.path())
        self.assert_connected()
        first = self.browser.driver.current_window_handle
        self.browser.open_window()
        self.browser.open(self.gateway.url + self.path())
        self.assert_connected()
        self.browser.driver.switch_to.window(first)
        self.browser.driver.refresh()
        self.assert_connected()

    def test_other_browser_cannot_resume(self):
        self.browser.open(self.gateway.url + self.path())
        self.assert_connected()
        address = self.browser.driver.current_url
        self.browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.browser.open("about:blank")
        self.browser.open(address)
        self.wait_for_reason("not valid any more")

    def test_lost_connection_is_resumed(self):
        proxy = TCPProxy("127.0.0.1", self.gateway.port)
        self.addCleanup(proxy.cut)
        self.browser.open(f"https://127.0.0.1:{proxy.port}{self.path()}")
        self.assert_connected()
        proxy.cut()
        self.browser.wait_for_text("#status", "Connecting again")
        proxy.restore()
        self.assert_connected()


@base.on_databases("sqlite")
class FrameTests(SecureBrowserTestCase):
    """The page in a frame of a dashboard on another site."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.start_guest()
        cls.port = free_port()
        # localhost is another site than 127.0.0.1.
        cls.dashboard = f"https://localhost:{cls.port}"
        cls.gateway_options = {"gateway": {"frame_ancestors": cls.dashboard}}

    def show(self, dashboard_port, url):
        """Open a dashboard that shows a page in a frame; switch to it."""
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", dashboard_port), _dashboard(url)
        )
        authority = certificates.make(configuration.temporary_folder())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(authority.certificate_file, authority.key_file)
        # Browsers also open connections that they may not use.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.browser.open(f"https://localhost:{dashboard_port}/")
        self.browser.driver.switch_to.frame(0)

    def url(self):
        """Return the URL of a new console."""
        token = self.token_for(self.guest.port)
        return f"{self.gateway.url}/vnc_auto.html?path=%3Ftoken%3D{token}"

    def test_console_works_in_frame_of_another_site(self):
        self.show(self.port, self.url())
        self.assert_connected()
        self.browser.run("location.reload()")
        self.eventually(lambda: "Connected" in self.browser.text("#status"))

    def test_other_sites_must_not_frame_the_page(self):
        self.show(free_port(), self.url())
        self.assertEqual(
            0,
            self.browser.run(
                "return document.querySelectorAll('#screen').length"
            ),
        )


def _dashboard(url):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = f'<iframe src="{url}" width=700 height=500></iframe>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            """Log nothing."""

    return Handler
