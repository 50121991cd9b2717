# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api_client.viewers.vncviewer import password_file


class PasswordFileTests(unittest.TestCase):
    def test_file_is_that_of_vncpasswd(self) -> None:
        # Made with vncpasswd of TigerVNC.
        for password, file in (
            ("ULtA1y1q", "966abbcab818f253"),
            ("short", "3405d7ae1b94524d"),
            ("longer-than-8", "c5a6ac61378b0df2"),
        ):
            with self.subTest(password):
                self.assertEqual(file, password_file(password).hex())
