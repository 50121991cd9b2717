# SPDX-License-Identifier: Apache-2.0
"""Run ``console-api-manage`` in the process of a test."""

from pathlib import Path

from console_api.cmd.manage import app
from console_api.tests.unit import base
from console_api.tests.unit.cmd import program
from console_api.tests.unit.cmd.program import Outcome


def run(folder: Path, *arguments: str, stdin: bytes = b"") -> Outcome:
    """Run the program with the configuration of a folder."""
    return program.run(app.main, folder, *arguments, stdin=stdin)


class ManageCase(base.DatabaseCase):
    """Each test has a database and can run the program on it."""

    def run_manage(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run the program on the test's database."""
        return run(self.folder, *arguments, stdin=stdin)

    def manage(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run the program, which must succeed."""
        outcome = self.run_manage(*arguments, stdin=stdin)
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))
        return outcome

    def assertRefused(
        self, text: str, *arguments: str, status: int = 1, stdin: bytes = b""
    ) -> Outcome:
        """Run the program, which must fail with this text on one line."""
        outcome = self.run_manage(*arguments, stdin=stdin)
        self.assertIn(text, outcome.stderr)
        self.assertEqual(
            (status, "", 1),
            (outcome.status, outcome.stdout, outcome.stderr.count("\n")),
            outcome.stderr,
        )
        return outcome
