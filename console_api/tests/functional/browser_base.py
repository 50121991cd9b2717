# SPDX-License-Identifier: Apache-2.0
"""What tests of the gateway's page in a real browser share."""

import ssl
from typing import ClassVar

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from console_api.tests import certificates
from console_api.tests.certificates import Authority
from console_api.tests.functional import configuration, gateways
from console_api.tests.functional.browsers import Browser
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.gateways import Gateway, GatewayTestCase
from console_api.tests.functional.guests import Guest


class BrowserTestCase(GatewayTestCase):
    """Tests of a class share a browser; tokens can be used only once."""

    options: ClassVar[Options] = {"tokens": {"single_use": "true"}}

    browser: ClassVar[Browser]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        # Certificates of tests are their own authority.
        cls.browser = Browser("--ignore-certificate-errors")
        cls.addClassCleanup(cls.browser.close)

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.browser.forget)

    @classmethod
    def start_guest(cls, *more: str, **options) -> Guest:
        """Start a guest that is stopped after all tests of the class."""
        guest = Guest(*more, **options)
        cls.addClassCleanup(guest.stop)
        return guest

    def assert_connected(self) -> None:
        """Wait until the page shows a connection."""
        self.browser.wait_for_text("#status", "Connected")

    def wait_for_reason(self, text: str) -> None:
        """Wait until the page covers the screen with a reason."""
        self.browser.wait_for_text("#notice-text", text)

    def press(self, label: str) -> None:
        """Press a button of the toolbar, or of the panel that is open."""
        element = self.find_button(label)
        if element is None:
            self.fail(f"There is no button {label}.")
        element.click()

    def find_button(self, label: str) -> WebElement | None:
        """Return a button that is visible; None if there is none."""
        for element in self.browser.driver.find_elements(
            By.TAG_NAME, "button"
        ):
            if element.text == label and element.is_displayed():
                return element
        return None

    def open_panel(self, label: str) -> WebElement:
        """Open a panel of the toolbar, and return it."""
        self.press(label)
        return self.browser.driver.find_element(
            By.CSS_SELECTOR, ".panel:not([hidden])"
        )

    def enter_text(self, text: str) -> WebElement:
        """Enter a text into the panel that types it, and return the panel."""
        panel = self.open_panel("Type text")
        panel.find_element(By.TAG_NAME, "textarea").send_keys(text)
        return panel

    def terminal_text(self) -> str:
        """Return the text on the terminal, as screen readers find it."""
        return self.browser.run(
            "return [...document.querySelectorAll("
            "'.xterm-accessibility-tree [role=listitem]')]"
            ".map((line) => line.textContent).join('\\n')"
        )


class SecureBrowserTestCase(BrowserTestCase):
    """The gateway uses TLS, so that the secret is in a cookie."""

    authority: Authority

    def start_gateway(self, options: Options | None = None) -> Gateway:
        """Start a gateway with a certificate for 127.0.0.1."""
        folder = configuration.temporary_folder()
        self.authority = certificates.make(folder)
        files = {
            "tls_cert_file": str(self.authority.certificate_file),
            "tls_key_file": str(self.authority.key_file),
            **dict((options or self.gateway_options).get("gateway", {})),
        }
        started = gateways.start(
            self.server,
            {"gateway": files},
            tls=ssl.create_default_context(cafile=str(self.authority.ca_file)),
        )
        self.addCleanup(started.kill)
        return started
