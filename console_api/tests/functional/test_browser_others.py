# SPDX-License-Identifier: Apache-2.0
"""Serial and SPICE consoles in a real browser."""

from selenium.webdriver.common.by import By

from console_api.tests.functional import base, browser_displays
from console_api.tests.functional.browser_base import BrowserTestCase

# Record the types of messages that the page sends; of a client, only those of
# the pointer are 111 or more.
_RECORD_MESSAGES = """
const send = WebSocket.prototype.send;
window.sent = [];
WebSocket.prototype.send = function (data) {
  sent.push(new DataView(data).getUint16(0, true));
  send.call(this, data);
};
"""

# Keep the WebSockets of the page; spice-html5 adds their channels.
_KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = new Proxy(WebSocket, {
  construct(target, parameters) {
    const socket = Reflect.construct(target, parameters);
    sockets.push(socket);
    return socket;
  },
});
"""

# Open the channel for inputs late: its type is in the first message.
_SLOW_INPUTS = """
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  const bytes = new Uint8Array(data);
  const isFirst = String.fromCharCode(...bytes.slice(0, 4)) === "REDQ";
  const pause = isFirst && bytes[20] === 3 ? 1000 : 0;
  setTimeout(() => send.call(this, data), pause);
};
"""

# Types of channels.
_MAIN, _DISPLAY, _INPUTS = 1, 2, 3


def _channel(kind: int) -> str:
    """Return an expression for the last WebSocket of a type of channels."""
    return f"sockets.findLast(({{ parent }}) => parent.type === {kind})"


@base.on_databases("sqlite")
class SerialTests(BrowserTestCase):
    """The serial port of QEMU, whose guest echoes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.start_guest()

    def open(self):
        """Open a new console."""
        token = self.token_for(self.guest.serial_port, "serial", "serial")
        self.browser.open(f"{self.gateway.url}/serial.html?token={token}")
        self.assert_connected()

    def test_typed_text_is_echoed(self):
        self.open()
        self.browser.type("hello world")
        self.eventually(lambda: "hello world" in self.terminal_text())

    def test_pasted_text_is_typed(self):
        self.open()
        self.enter_text('Any "text" {~} at once')
        self.press("Type")
        self.eventually(
            lambda: 'Any "text" {~} at once' in self.terminal_text()
        )

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
        self.eventually(lambda: "kept" in self.terminal_text())
        self.assertNotIn("dropped", self.terminal_text())


@base.on_databases("sqlite")
class SpiceTests(browser_displays.InputTests, BrowserTestCase):
    """The SPICE display of QEMU."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls.start_guest(spice=True)

    def open(self, gateway=None):
        """Open a new console, and wait for its screen."""
        token = self.token_for(self.guest.port, "spice", "spice-html5")
        url = (gateway or self.gateway).url
        self.browser.open(f"{url}/spice_auto.html?token={token}")
        self.assert_connected()
        self.eventually(lambda: self.browser.screen() is not None)

    def test_page_shows_screen_and_keys_arrive(self):
        self.open()
        before = self.browser.screen()
        with self.guest.keys() as keys:
            self.browser.type("spice")
            self.assertEqual("spice", keys.read(5))
        self.eventually(lambda: self.browser.screen() != before)

    def test_session_with_lost_channel_is_opened_again(self):
        self.prepare_pages(_KEEP_SOCKETS)
        self.open()
        for kind in (_DISPLAY, _INPUTS):
            with self.subTest(kind):
                self.lose(kind)
                self.assert_connected()
                self.eventually(lambda: self.browser.screen() is not None)

    def test_view_only_session_needs_no_inputs(self):
        gateway = self.start_gateway({"gateway": {"view_only": "true"}})
        self.prepare_pages(_KEEP_SOCKETS)
        self.open(gateway)
        inputs = _channel(_INPUTS)
        self.eventually(
            lambda: self.browser.run(f"return {inputs}?.readyState === 3")
        )
        self.assert_connected()
        self.assertEqual(1, self.sessions())

    def test_connected_page_accepts_keys(self):
        self.prepare_pages(_SLOW_INPUTS)
        self.open()
        with self.guest.keys() as keys:
            self.browser.type("x")
            self.assertEqual("x", keys.read(1))

    def prepare_pages(self, source):
        """Have the pages of the test run a script first."""
        call = self.browser.driver.execute_cdp_cmd
        script = call(
            "Page.addScriptToEvaluateOnNewDocument", {"source": source}
        )
        self.addCleanup(
            call, "Page.removeScriptToEvaluateOnNewDocument", script
        )

    def lose(self, kind):
        """Close the last channel of a type, and wait for another session."""
        is_ready = f"return {_channel(kind)}?.parent.state === 'ready'"
        self.eventually(lambda: self.browser.run(is_ready))
        before = self.sessions()
        self.browser.run(f"{_channel(kind)}.close(4000)")
        self.eventually(lambda: self.sessions() > before)

    def sessions(self):
        """Return how many sessions the page has begun."""
        return self.browser.run(
            "return sockets.filter(({ parent }) => "
            f"parent.type === {_MAIN}).length"
        )

    def test_view_only_switch_drops_pointer(self):
        self.open()
        self.browser.run(_RECORD_MESSAGES)
        screen = self.browser.driver.find_element(
            By.CSS_SELECTOR, "#screen canvas"
        )

        def is_pointer_sent():
            return max(self.browser.run("return sent"), default=0) >= 111

        self.press("View only")
        screen.click()
        self.assertFalse(is_pointer_sent())
        self.press("View only")
        screen.click()
        self.assertTrue(is_pointer_sent())

    def test_key_that_us_keyboards_lack_arrives(self):
        self.open()
        with self.guest.keys() as keys:
            for event in ("keyDown", "keyUp"):
                self.browser.driver.execute_cdp_cmd(
                    "Input.dispatchKeyEvent",
                    {
                        "type": event,
                        "code": "IntlBackslash",
                        "key": "<",
                        "windowsVirtualKeyCode": 226,
                    },
                )
            self.assertEqual("\\", keys.read(1))


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
