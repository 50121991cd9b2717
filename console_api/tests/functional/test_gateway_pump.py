# SPDX-License-Identifier: Apache-2.0
"""The gateway between bad displays and bad browsers."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from console_api.gateway.close_reasons import CloseReason
from console_api.tests.functional import base
from console_api.tests.functional.gateways import GatewayTestCase
from console_api.tests.functional.websocket_client import WebSocketStream
from console_api.tests.ports import free_port
from console_api.tests.waiting import TIMEOUT

# More than the kernel and the gateway buffer for a connection, in bytes.
_MANY = 256 * 2**20

# How much more memory a gateway may use that buffers only what it should.
_MAX_GROWTH = 8 * 2**20


def peak_memory(pid: int) -> int:
    """Return the most memory that a process has used, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


class Display:
    """Serves connections one after another by a function."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._connected: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Close the connections, and accept no more."""
        for connected in (self._listening, *self._connected):
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
            connected.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connected, _ = self._listening.accept()
                connected.settimeout(TIMEOUT)
                self._connected.append(connected)
                with contextlib.suppress(OSError):
                    self._serve(connected)


def wait_for_end(connected: socket.socket) -> None:
    """Read until the gateway closes the connection."""
    while connected.recv(65536):
        pass
    connected.close()


class PumpTestCase(GatewayTestCase):
    """Connects browsers with displays of tests."""

    def serial(self, serve: Callable[[socket.socket], None]) -> str:
        """Return the path of a serial console."""
        display = Display(serve)
        self.addCleanup(display.close)
        token = self.token_for(display.port, "serial", "serial")
        return f"/?token={token}"

    def vnc(self, serve: Callable[[socket.socket], None]) -> str:
        """Return the path of a VNC console."""
        display = Display(serve)
        self.addCleanup(display.close)
        return f"/?token={self.token_for(display.port)}"

    def connect(self, path: str) -> WebSocketStream:
        """Open a WebSocket that is closed after the test."""
        browser = self.gateway.connect(path)
        self.addCleanup(browser.close)
        return browser


@base.on_databases("sqlite")
class BadDisplayTests(PumpTestCase):
    """Tests with displays that do not work."""

    gateway_options = {"gateway": {"connect_timeout": "1"}}

    def assert_unreachable(self, path: str, *causes: str) -> None:
        """Assert that a browser and the log hear of a failed connection."""
        browser = self.connect(path)
        self.assertEqual(b"RFB 003.008\n", browser.recv(12))
        browser.sendall(b"RFB 003.008\n")
        closed = browser.wait_until_closed()
        self.assertEqual(CloseReason.DISPLAY_UNREACHABLE.code, closed.code)
        text = CloseReason.DISPLAY_UNREACHABLE.text
        self.assertEqual(text, closed.reason)
        # For the viewer, which shows it as a failure of security.
        self.assertIn(text.encode(), browser.recv(1000))
        for cause in causes:
            self.eventually_logged(cause)
        self.assert_not_logged(path.partition("=")[2])

    def test_display_that_is_away(self):
        self.assert_unreachable(
            f"/?token={self.token_for(free_port())}", "Connection refused"
        )

    def test_display_that_sends_garbage(self):
        def serve(connected):
            connected.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            wait_for_end(connected)

        self.assert_unreachable(self.vnc(serve), "does not speak RFB")

    def test_display_that_stalls(self):
        self.assert_unreachable(
            self.vnc(wait_for_end), "did not answer in time"
        )

    def test_display_that_closes_at_once(self):
        self.assert_unreachable(self.vnc(socket.socket.close))

    def test_display_that_dies(self):
        def serve(connected):
            connected.sendall(b"login: ")
            connected.recv(1)
            connected.close()

        browser = self.connect(self.serial(serve))
        self.assertEqual(b"login: ", browser.recv(100))
        browser.sendall(b"\r")
        closed = browser.wait_until_closed()
        self.assertEqual(CloseReason.DISPLAY_CLOSED.code, closed.code)


@base.on_databases("sqlite")
class BadBrowserTests(PumpTestCase):
    """Tests with browsers that do not work."""

    gateway_options = {"gateway": {"ping_interval": "1"}}

    def test_browser_that_stops_reading_does_not_fill_memory(self):
        sent = [0]
        is_over = threading.Event()

        def serve(connected):
            with contextlib.suppress(OSError):
                while sent[0] < _MANY:
                    connected.sendall(bytes(2**16))
                    sent[0] += 2**16
            is_over.set()

        path = self.serial(serve)
        before = peak_memory(self.gateway.pid)
        self.connect(path)
        # The gateway gives up a browser that answers no ping.
        self.assertTrue(is_over.wait(TIMEOUT))
        self.assertLess(sent[0], _MANY)
        after = peak_memory(self.gateway.pid)
        self.assertLess(after - before, _MAX_GROWTH)

    def test_browser_that_vanishes_is_disconnected(self):
        is_over = threading.Event()

        def serve(connected):
            wait_for_end(connected)
            is_over.set()

        path = self.serial(serve)
        # Nothing reads it: it answers no ping.
        self.connect(path)
        self.assertTrue(is_over.wait(TIMEOUT))


@base.on_databases("sqlite")
class StopTests(PumpTestCase):
    """Tests of a gateway that stops."""

    def test_browsers_are_told_to_connect_again(self):
        path = self.serial(wait_for_end)
        browsers = [self.connect(path)]
        browsers += [self.connect(self.serial(wait_for_end)) for _ in range(4)]
        stopping = threading.Thread(target=self.gateway.stop)
        stopping.start()
        codes = [browser.wait_until_closed().code for browser in browsers]
        stopping.join()
        self.assertEqual(5 * [CloseReason.GATEWAY_STOPPED.code], codes)
        self.assertEqual(0, self.gateway.process.poll())
