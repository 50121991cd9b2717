# SPDX-License-Identifier: Apache-2.0
import io
import os
import unittest
from unittest import mock

from console_api.cmd.manage.progress import ProgressBar

CLEAR = "\r\033[K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ProgressBarTest(unittest.TestCase):
    def drawn(
        self, *steps: tuple[int, int], columns: int = 80, **kwargs: bool
    ) -> list[str]:
        """Return what a terminal of a width was shown, one after the other."""
        stream = Terminal()
        size = os.terminal_size((columns, 24))
        with (
            mock.patch("shutil.get_terminal_size", return_value=size),
            ProgressBar(stream, "Working", **kwargs) as bar,
        ):
            for step in steps:
                bar.update(*step)
        return stream.getvalue().split(CLEAR)[1:]

    def test_it_is_drawn_and_then_gone(self) -> None:
        self.assertEqual(
            [
                f"Working [{'#' * 10:40}]  25 % 1 of 4",
                f"Working [{'#' * 40}] 100 % 4 of 4",
                "",
            ],
            self.drawn((1, 4), (4, 4)),
        )

    def test_it_is_drawn_only_when_it_has_changed(self) -> None:
        self.assertEqual(2, len(self.drawn((1, 4), (1, 4))))

    def test_nothing_done_is_nothing_drawn(self) -> None:
        self.assertEqual([], self.drawn())

    def test_of_nothing_there_is_nothing_to_divide_by(self) -> None:
        self.assertIn("0 of 1", self.drawn((0, 0))[0])

    def test_more_than_all_is_all(self) -> None:
        self.assertIn("100 % 5 of 5", self.drawn((5, 4))[0])

    def test_it_never_fills_the_line(self) -> None:
        for columns in (8, 20, 26, 30, 60, 200):
            with self.subTest(columns=columns):
                text = self.drawn((1, 4), columns=columns)[0]
                self.assertLess(len(text), columns)
                self.assertTrue(text.startswith("Working"))

    def test_quiet_it_is_not_shown(self) -> None:
        self.assertEqual([], self.drawn((1, 4), quiet=True))

    def test_elsewhere_than_on_a_terminal_it_is_not_shown(self) -> None:
        stream = io.StringIO()
        with ProgressBar(stream, "Working") as bar:
            bar.update(1, 4)
        self.assertEqual("", stream.getvalue())
