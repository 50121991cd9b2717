# SPDX-License-Identifier: Apache-2.0
"""What the page offers for VNC and SPICE displays alike."""

from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

TEXT = 'Hi "@_?" {x}|\\ 100%'


class InputTests:
    """Tests of a class with a guest of QEMU, whose console `open` opens."""

    def test_text_is_typed_with_layout(self):
        self.open()
        self.enter_text(TEXT)
        with self.guest.keys() as keys:
            self.press("Type")
            self.assertEqual(TEXT, keys.read(len(TEXT)))

    def test_layout_of_guest_decides_which_keys_are_typed(self):
        self.open()
        panel = self.enter_text("xyz")
        Select(panel.find_element(By.TAG_NAME, "select")).select_by_value("de")
        with self.guest.keys() as keys:
            self.press("Type")
            # The guest has a US layout, where Y and Z are swapped.
            self.assertEqual("xzy", keys.read(3))

    def test_key_menu_and_view_only_switch(self):
        self.open()
        screen = self.browser.driver.find_element(
            By.CSS_SELECTOR, "#screen canvas"
        )
        with self.guest.keys() as keys:
            self.press("View only")
            screen.click()
            self.browser.type("dropped")
            self.press("Keys")
            self.press("Esc")
            self.press("View only")
            self.press("Tab")
            self.assertEqual("\t", keys.read(1))
            screen.click()
            self.browser.type("kept")
            self.assertEqual("kept", keys.read(4))
