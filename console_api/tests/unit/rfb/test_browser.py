# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest

from console_api.rfb.browser import BrowserHandshake
from console_api.rfb.handshake import State
from console_api.tests.unit.rfb.base import (
    FAILED,
    OK,
    SIZES,
    V3,
    V7,
    V8,
    feed,
    feed_until_error,
    reason,
)

# What the browser sends before ClientInit, and what it is sent.
VERSIONS = (
    (V3, b"\0\0\0\1"),
    (b"RFB 003.889\n", b"\0\0\0\1"),
    (V7 + b"\1", b"\1\1"),
    (V8 + b"\1", b"\1\1" + OK),
)


class BrowserHandshakeTest(unittest.TestCase):
    def test_browser_is_let_in(self) -> None:
        for (begin, answer), size in itertools.product(VERSIONS, SIZES):
            for client_init in (b"\0", b"\1"):
                with self.subTest(begin, size=size):
                    browser = BrowserHandshake()
                    sent = feed(browser, begin, size)
                    self.assertEqual(V8 + answer, sent)
                    self.assertIs(State.RECEIVE, browser.state)
                    browser.receive(client_init)
                    self.assertEqual(client_init, browser.client_init)
                    self.assertIs(State.DONE, browser.state)

    def test_bytes_behind_client_init_belong_to_session(self) -> None:
        browser = BrowserHandshake()
        browser.receive(V8 + b"\1\1more")
        self.assertIs(State.DONE, browser.state)
        self.assertEqual(b"more", browser.take_trailing())

    def test_refusal_is_sent_once_version_is_known(self) -> None:
        for version, types in ((V3, OK), (V7, b"\0"), (V8, b"\0")):
            for size in SIZES:
                with self.subTest(version, size=size):
                    browser = BrowserHandshake("The display is down.")
                    sent, _ = feed_until_error(browser, version, size)
                    refusal = reason("The display is down.")
                    self.assertEqual(V8 + types + refusal, sent)
                    self.assertIs(State.FAILED, browser.state)

    def test_other_security_type_is_refused(self) -> None:
        for version, chosen in itertools.product((V7, V8), (0, 2, 19, 255)):
            with self.subTest(version, chosen=chosen):
                sent, message = feed_until_error(
                    BrowserHandshake(), version + bytes([chosen]), 99
                )
                self.assertTrue(sent.startswith(V8 + b"\1\1" + FAILED))
                self.assertIn(str(chosen), message)

    def test_other_protocol_is_refused(self) -> None:
        for begin in (b"GET / HTTP/1.1\r\n", b"RFB 004.000\n", bytes(100)):
            with self.subTest(begin):
                sent, _ = feed_until_error(BrowserHandshake(), begin, 99)
                refusal = reason("This server speaks RFB 3.3, 3.7 and 3.8.")
                self.assertEqual(V8 + OK + refusal, sent)
