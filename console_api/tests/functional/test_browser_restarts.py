# SPDX-License-Identifier: Apache-2.0
"""The page when its gateway restarts, and when its session is cut."""

from console_api.tests.functional import base, gateways
from console_api.tests.functional.browser_base import BrowserTestCase
from console_api.tests.functional.tcp_proxy import TCPProxy

# A state may last for less than a second.
_RECORD_STATUS = """
window.statuses = [];
const status = document.getElementById("status");
new MutationObserver(() => window.statuses.push(status.textContent))
    .observe(status, { childList: true });
"""


@base.on_databases("sqlite")
class RestartTests(BrowserTestCase):
    """A guest of QEMU, over plain HTTP: the page has the secret."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.start_guest()

    def open(self, port):
        """Open a new console at a port."""
        token = self.token_for(self.guest.port)
        self.browser.open(
            f"http://127.0.0.1:{port}/vnc_auto.html?path=%3Ftoken%3D{token}"
        )
        self.assert_connected()

    def open_session(self, gateway):
        """Return the only open session of a gateway."""
        reply = self.admin.get(
            f"/os-console-sessions?gateway=gateway-{gateway.port}",
            version="2.99",
        )
        self.assertEqual(200, reply.status, reply.body)
        [session] = reply.json["sessions"]
        return session

    def assert_typed(self, text):
        """Assert that keys pressed in the page reach the guest."""
        with self.guest.keys() as keys:
            self.browser.type(text)
            self.assertEqual(text, keys.read(len(text)))

    def test_page_resumes_at_another_gateway(self):
        for end, reason in (
            (gateways.Gateway.stop, "The gateway restarts."),
            (gateways.Gateway.kill, "The connection was lost."),
        ):
            with self.subTest(reason):
                first, second = self.start_gateway(), self.start_gateway()
                # As a load balancer does.
                balancer = TCPProxy("127.0.0.1", first.port)
                self.addCleanup(balancer.cut)
                self.open(balancer.port)
                self.assert_typed("before")
                self.browser.run(_RECORD_STATUS)
                balancer.redirect("127.0.0.1", second.port)
                end(first)
                self.eventually(lambda: self.statuses()[-1:] == ["Connected"])
                self.assertIn(reason, str(self.statuses()))
                self.assert_typed("after")
                session = self.open_session(second)
                self.assertIsNotNone(session["resumed_from"])

    def statuses(self):
        """Return what the page has said since its gateway ended."""
        return self.browser.run("return window.statuses")

    def test_deleted_session_ends_with_reason(self):
        self.open(self.gateway.port)
        session = self.open_session(self.gateway)
        self.assertEqual("novnc", session["console_type"])
        reply = self.admin.delete(f"/os-console-sessions/{session['id']}")
        self.assertEqual(204, reply.status, reply.body)
        self.wait_for_reason("The session was ended by a user or an adm")

    def test_reload_over_plain_http_asks_to_open_again(self):
        self.open(self.gateway.port)
        self.browser.driver.refresh()
        self.wait_for_reason("Open the console again from your dashboard.")
