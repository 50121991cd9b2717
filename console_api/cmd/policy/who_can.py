# SPDX-License-Identifier: Apache-2.0
"""``console-api-policy who-can``: who may perform an operation."""

import argparse
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from console_api.cmd.commands import Table
from console_api.cmd.policy import subjects
from console_api.cmd.policy.base import ListCommand
from console_api.cmd.policy.columns import SERVERS, CallerColumn, CallersColumn
from console_api.policy.audience import Audience, Group
from console_api.policy.callers import Callers
from console_api.policy.diagrams import ALWAYS
from console_api.policy.reach import Reach

# Maximum number of groups of callers for servers of one kind.
_MAX_GROUPS = 100

#: Which servers, the caller, and the exceptions.
Row: TypeAlias = tuple[str, CallerColumn, CallersColumn]


class WhoCan(ListCommand):
    """List who may perform an operation or passes a rule.

    For servers of the caller's own project and for those of other projects:
    the callers with the fewest roles and attributes.  Those who have more may,
    too, apart from the exceptions.

    Example:
      console-api-policy who-can 'POST /servers/{server_id}/consoles'
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser of the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "subject",
            metavar="OPERATION|RULE",
            help="An operation, such as 'GET /os-consoles', the rule of an "
            "operation, or a base rule.",
        )
        self.add_policy(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the groups of callers."""
        source = self.source(parsed_args)
        subject = subjects.find(parsed_args.subject, source)
        callers = Callers([source.checks])
        reach = Reach(source.checks, callers)
        rows: list[Row] = []
        for is_own in (True, False) if subject.has_project else (True,):
            audience = Audience.of(
                callers,
                subject.passing(reach, is_own=is_own),
                ALWAYS if is_own else callers.in_other_project(),
                _MAX_GROUPS,
            )
            servers = SERVERS[is_own if subject.has_project else None]
            rows += _rows(servers, audience.groups)
            if not audience.is_complete:
                self.app.LOG.warning("There are more callers.")
        return ("servers", "caller", "except"), rows


def _rows(servers: str, groups: Sequence[Group]) -> Iterator[Row]:
    if not groups:
        yield servers, CallerColumn(None), CallersColumn(())
    for group in groups:
        yield (
            servers,
            CallerColumn(group.caller),
            CallersColumn(group.exceptions),
        )
