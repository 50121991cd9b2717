# SPDX-License-Identifier: Apache-2.0
import argparse
import io
import unittest
from unittest import mock

from console_api.cmd.manage import base


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Command(base.ManageCommand):
    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        with self.progress("Working") as update:
            update(1, 4)


class ProgressTest(unittest.TestCase):
    def run_command(self, stderr: io.StringIO, verbose_level: int = 1) -> str:
        app = mock.Mock(stderr=stderr)
        app.options.verbose_level = verbose_level
        with mock.patch.dict("os.environ", {"TERM": "xterm"}):
            Command(app, None).run(argparse.Namespace())
        return stderr.getvalue()

    def test_progress_is_shown_on_a_terminal(self) -> None:
        shown = self.run_command(Terminal())
        for text in ("Working", "25%", "1/4"):
            self.assertIn(text, shown)

    def test_quiet_hides_progress(self) -> None:
        self.assertEqual("", self.run_command(Terminal(), verbose_level=0))

    def test_progress_is_hidden_in_pipes_and_files(self) -> None:
        with mock.patch.dict("os.environ", {"FORCE_COLOR": "1"}):
            self.assertEqual("", self.run_command(io.StringIO()))
