# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api_client.viewers.base import Target
from console_api_client.viewers.remote_viewer import connection_file


class ConnectionFileTests(unittest.TestCase):
    def test_file_has_all_that_the_viewer_needs(self) -> None:
        target = Target("consoles.example.org", 5919, "ULtA1y1q", "web-1")
        self.assertEqual(
            "[virt-viewer]\n"
            "type=vnc\n"
            "host=consoles.example.org\n"
            "port=5919\n"
            "password=ULtA1y1q\n"
            "title=web-1\n"
            "delete-this-file=1\n",
            connection_file(target),
        )

    def test_values_add_no_lines(self) -> None:
        target = Target("::1", 5919, "a\\b", " web\n1\ttype=spice\r")
        text = connection_file(target)
        self.assertIn("password=a\\\\b\n", text)
        self.assertIn("title=\\sweb\\n1\\ttype=spice\\r\n", text)
