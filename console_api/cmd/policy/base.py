# SPDX-License-Identifier: Apache-2.0
"""What all commands of ``console-api-policy`` have in common."""

import argparse

from console_api import errors
from console_api.cmd import commands
from console_api.cmd.application import USAGE_ERROR
from console_api.cmd.policy.app import PolicyApp


class PolicyCommand(commands.Command):
    """A command whose status 1 is an answer, and never a mistake."""

    app: PolicyApp
    error_status = USAGE_ERROR

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit status; 2 if an argument or a file cannot be used
        """
        try:
            return super().run(parsed_args)
        except errors.ConsoleAPIError as error:
            self.app.LOG.error(error)  # noqa: TRY400 (no bug to trace)
            return self.error_status


class DisplayCommand(PolicyCommand, commands.DisplayCommand):
    """A command that prints columns, with ``Lister`` or ``ShowOne``."""
