# SPDX-License-Identifier: Apache-2.0
"""What a new user sees: the quickstart's URLs in a browser."""

import os
import re

from PIL import Image, ImageChops, ImageStat

from console_api.cmd.quickstart import picture
from console_api.tests.functional import browsers, client, configuration
from console_api.tests.functional.test_quickstart import QuickstartCase
from console_api.tests.waiting import wait_until

#: The first picture of README.rst.
PICTURE = configuration.CHECKOUT / "doc" / "source" / "images" / "browser.png"

#: Set to 1, this environment variable renews the picture.
SAVE = "CONSOLE_API_TEST_SAVE_PICTURES"

# The largest mean difference of a channel, of 255: fonts differ.
_TOLERANCE = 6

# The colours of the bars, from left to right.
_BARS = [
    (255, 255, 255),
    (255, 255, 0),
    (0, 255, 255),
    (0, 255, 0),
    (255, 0, 255),
    (255, 0, 0),
    (0, 0, 255),
    (0, 0, 0),
]


class BrowserQuickstartTest(QuickstartCase):
    def setUp(self):
        super().setUp()
        self.browser = browsers.Browser()
        self.addCleanup(self.browser.close)
        self.process = self.start()
        urls = re.findall(
            r"^  (http://\S+token\S+)$", self.output, re.MULTILINE
        )
        self.screen_url, self.serial_url = urls

    def shows_bars(self) -> bool:
        seen = self.browser.screen()
        return (
            seen is not None
            and [seen.getpixel((x, 120)) for x in range(20, 320, 40)] == _BARS
        )

    def shows_text(self, text: str) -> bool:
        """Return whether the line of the screen contains only this text."""
        seen = self.browser.screen()
        # The format of PIL's pixels: red, green, blue and padding.
        pixels = picture.PixelFormat(32, False, (255,) * 3, (0, 8, 16))
        area = (0, picture.TEXT_TOP, picture.WIDTH, picture.HEIGHT)
        expected = Image.frombytes(
            "RGBX",
            (picture.WIDTH, picture.HEIGHT - picture.TEXT_TOP),
            picture.draw(text, pixels, area),
        )
        return seen is not None and (
            seen.crop(area).tobytes() == expected.convert("RGB").tobytes()
        )

    def test_typed_text_is_shown(self):
        self.browser.open(self.screen_url)
        wait_until(self.shows_bars)
        self.assertNotIn("token", self.browser.driver.current_url)
        self.browser.type("Hello, world!")
        wait_until(lambda: self.shows_text("> HELLO, WORLD!_"))
        self.check_picture()

    def check_picture(self) -> None:
        """Compare the page with the picture of README.rst."""
        seen = self.browser.screenshot()
        if os.environ.get(SAVE) == "1":
            colours = seen.convert("P", palette=Image.Palette.ADAPTIVE)
            colours.save(PICTURE, optimize=True)
        with Image.open(PICTURE) as shown:
            self.assertEqual(shown.size, seen.size)
            difference = ImageChops.difference(shown.convert("RGB"), seen)
        mean = max(ImageStat.Stat(difference).mean)
        self.assertLess(mean, _TOLERANCE)

    def test_serial_console_repeats_what_is_typed(self):
        self.browser.open(self.serial_url)
        self.browser.wait_for_text("#status", "Connected")
        self.browser.type("hello\n")
        wait_until(lambda: "You typed: hello" in self.terminal())

    def test_cut_session_ends_with_its_reason(self):
        self.browser.open(self.screen_url)
        wait_until(self.shows_bars)
        user = client.Client(self, user="user", project="demo")
        [session] = user.get("/os-console-sessions").json["sessions"]
        self.assertEqual(self.server_id, session["server_id"])
        self.assertEqual("127.0.0.1", session["client_address"])
        reply = user.delete(f"/os-console-sessions/{session['id']}")
        self.assertEqual(204, reply.status, reply.body)
        self.browser.wait_for_text(
            "#notice", "The session was ended by a user or an administrator."
        )
        wait_until(
            lambda: not user.get("/os-console-sessions").json["sessions"]
        )

    def test_ctrl_c_ends_sessions_at_once(self):
        self.browser.open(self.screen_url)
        self.browser.wait_for_text("#status", "Connected")
        self.browser.open_window()
        self.browser.open(self.serial_url)
        self.browser.wait_for_text("#status", "Connected")
        self.assertEqual(0, self.end(self.process))
        # Not killed after a timeout.
        log = (self.state / "console_api.log").read_text()
        self.assertEqual(2, log.count("reason=gateway_stopped"))

    def terminal(self) -> str:
        """Return the text that the terminal has for screen readers."""
        return self.browser.run(
            "return document.querySelector('.xterm-accessibility-tree')"
            "?.innerText.replaceAll('\\u00a0', ' ') ?? '';"
        )
