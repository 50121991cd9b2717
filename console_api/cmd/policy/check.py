# SPDX-License-Identifier: Apache-2.0
"""Check policy files."""

import argparse
from pathlib import Path

from cliff import lister

from console_api.cmd.application import FAILURE
from console_api.cmd.commands import Table
from console_api.cmd.policy.base import DisplayCommand
from console_api.policy import audit
from console_api.policy.findings import Level, printable

_COLUMNS = (
    *("file", "line", "column", "level", "rule"),
    *("message", "consequence", "remedy"),
)


class Check(DisplayCommand, lister.Lister):
    """Check policy files: what is wrong, where, and what to do.

    Without FILE, checks the policy files of the configuration as the service
    would use them: their rules, names, places and permissions. With FILE,
    checks these files alone, together with the defaults; later files override
    earlier ones, and no configuration is needed.

    The levels are error: the service refuses the file, or a rule does not do
    what it says; security warning: more access than by default; warning:
    perhaps not what is meant; and note: nothing has to be done. The exit
    status is 1 if there are errors, with --strict also if there are warnings.

    Example: console-api-policy check --strict policy.yaml
    """

    formatter_namespace = "console_api.policy.formatters"
    formatter_default = "report"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the arguments."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "files",
            metavar="FILE",
            type=Path,
            nargs="*",
            help="A policy file to check in place of those of the "
            "configuration.",
        )
        parser.add_argument(
            "--strict",
            action="store_true",
            help="Fail if there are warnings.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Check the files."""
        findings = (
            audit.of_files(parsed_args.files)
            if parsed_args.files
            else audit.of_conf(self.app.conf)
        )
        failures = {Level.BROKEN, Level.ERROR}
        if parsed_args.strict:
            failures |= {Level.SECURITY, Level.WARNING}
        if any(each.level in failures for each in findings):
            self.status = FAILURE
        return _COLUMNS, [
            (
                printable(str(each.path)),
                each.line,
                each.column,
                each.level.label,
                each.rule and printable(each.rule),
                each.message,
                each.consequence,
                each.remedy,
            )
            for each in findings
        ]
