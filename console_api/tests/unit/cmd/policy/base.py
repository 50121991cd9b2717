# SPDX-License-Identifier: Apache-2.0
"""Run ``console-api-policy`` in the process of a test."""

from console_api.cmd.policy import app
from console_api.tests.unit import base
from console_api.tests.unit.cmd import program
from console_api.tests.unit.cmd.program import Outcome


class PolicyCase(base.FolderCase):
    """Each test has a folder and can run the program."""

    def run_policy(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run the program."""
        return program.run(app.main, self.folder, *arguments, stdin=stdin)
