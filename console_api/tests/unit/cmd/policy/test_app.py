# SPDX-License-Identifier: Apache-2.0
import importlib.metadata

from console_api.cmd.policy import app
from console_api.tests.unit.cmd.policy.base import PolicyCase


class HelpTest(PolicyCase):
    def test_help_lists_every_command(self) -> None:
        text = self.run_policy("--help").stdout
        for entry in importlib.metadata.entry_points(
            group=app.PolicyApp.NAMESPACE
        ):
            with self.subTest(entry.name):
                self.assertRegex(text, rf"\n  {entry.name} +[A-Z]")

    def test_help_of_every_command_has_an_example(self) -> None:
        for entry in importlib.metadata.entry_points(
            group=app.PolicyApp.NAMESPACE
        ):
            with self.subTest(entry.name):
                text = self.run_policy(entry.name, "--help").stdout
                self.assertRegex(
                    text, rf"Example:\s+console-api-policy {entry.name} "
                )

    def test_unknown_command_is_refused(self) -> None:
        outcome = self.run_policy("chekc")
        self.assertEqual((2, ""), (outcome.status, outcome.stdout))
        self.assertIn("console-api-policy --help", outcome.stderr)
