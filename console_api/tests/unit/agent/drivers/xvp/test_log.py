# SPDX-License-Identifier: Apache-2.0
from unittest import mock

from console_api.agent.drivers.xvp import log
from console_api.tests.unit import base


class RotateTest(base.FolderCase):
    def test_only_large_log_is_renamed(self) -> None:
        path = self.folder / "xvp.log"
        self.assertFalse(log.rotate(path))
        with mock.patch.object(log, "MAX_SIZE", 3):
            path.write_text("ab")
            self.assertFalse(log.rotate(path))
            for text in ("abc", "defg"):
                path.write_text(text)
                self.assertTrue(log.rotate(path))
                self.assertFalse(path.exists())
                renamed = self.folder / "xvp.log.1"
                self.assertEqual(text, renamed.read_text())


class FindRefusedLineTest(base.FolderCase):
    def test_only_what_was_logged_since_is_searched(self) -> None:
        path = self.folder / "xvp.log"
        self.assertEqual(0, log.size(path))
        self.assertIsNone(log.find_refused_line(path, 0))
        path.write_text("Fatal: xvp.conf: Syntax error at line 3\n")
        start = log.size(path)
        self.assertIsNone(log.find_refused_line(path, start))
        with path.open("a") as file:
            file.write("Fatal: xvp.conf: Syntax error at line 42\n")
        self.assertEqual(42, log.find_refused_line(path, start))
