# SPDX-License-Identifier: Apache-2.0
"""A real browser for tests: headless Chromium, driven by its own driver."""

import base64
import io
import os
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from console_api.tests import prerequisites
from console_api.tests.functional import configuration
from console_api.tests.waiting import wait_until

#: Width and height of a window, in pixels.
SIZE = (800, 640)

# Copy the screen of the console, and return it as a data URL.
_CANVAS = """
const canvas = document.querySelector("#screen canvas");
return canvas && canvas.width ? canvas.toDataURL("image/png") : null;
"""


class Browser:
    """A browser with a profile of its own, which keeps cookies."""

    def __init__(self, *arguments: str) -> None:
        """Start it.

        :param arguments: more arguments of Chromium
        """
        options = webdriver.ChromeOptions()
        options.binary_location = prerequisites.find_program("chromium")
        profile = configuration.temporary_folder()
        for argument in (
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            f"--window-size={SIZE[0]},{SIZE[1]}",
            f"--user-data-dir={profile}",
            # Its sandbox refuses root, who may run tests in a container.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            *arguments,
        ):
            options.add_argument(argument)
        self.driver = webdriver.Chrome(
            options,
            webdriver.ChromeService(
                prerequisites.find_program("chromedriver")
            ),
        )

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()

    def forget(self) -> None:
        """Close all windows but one, and forget cookies and storage."""
        first, *others = self.driver.window_handles
        for handle in others:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def open_window(self) -> None:
        """Open another window, and make it the current one."""
        self.driver.switch_to.new_window("window")

    def open(self, url: str) -> None:
        """Open a page in the current window."""
        self.driver.get(url)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page, and return its value."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """Return the text of an element, as a user sees it."""
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def wait_for_text(self, selector: str, text: str) -> None:
        """Wait until an element contains a text."""
        wait_until(lambda: text in self.text(selector))

    def wait_for_log(self, text: str) -> None:
        """Wait until the console of the page has a warning or an error."""
        wait_until(
            lambda: any(
                text in entry["message"]
                for entry in self.driver.get_log("browser")
            )
        )

    def type(self, text: str) -> None:
        """Press the keys of a text in what has the focus."""
        ActionChains(self.driver).send_keys(text).perform()

    def screen(self) -> Image.Image | None:
        """Return the picture of the server's screen; None without one."""
        url = self.run(_CANVAS)
        if url is None:
            return None
        return Image.open(io.BytesIO(_decode(url))).convert("RGB")

    def screenshot(self) -> Image.Image:
        """Return the picture of the whole page."""
        data = self.driver.get_screenshot_as_png()
        return Image.open(io.BytesIO(data)).convert("RGB")


def _decode(url: str) -> bytes:
    return base64.b64decode(url.partition(",")[2])
