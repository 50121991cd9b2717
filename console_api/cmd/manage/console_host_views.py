# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage console-host list`` and ``show``."""

import argparse
from collections.abc import Iterable, Sequence

from cliff import columns, lister, show

from console_api import errors
from console_api.cmd.commands import Table
from console_api.cmd.manage.base import DisplayCommand
from console_api.cmd.manage.console_hosts import add_identity, not_found
from console_api.cmd.manage.endpoints import Row
from console_api.consoles.console_hosts import (
    ConsoleHost,
    ConsoleHostManager,
)
from console_api.consoles.listing import ConsoleListing
from console_api.db.console_listing import ConsoleFilters, ListedConsole
from console_api.values import ConsoleState

COLUMNS = (
    "host",
    "console_type",
    "public_hostname",
    "compute_hosts",
    "ports",
    "ports_used",
    "consoles",
    "served",
    "failed",
    "enabled",
    "state",
    "last_seen_at",
)

# Maximum number of failed consoles that are shown.
_MAX_FAILED = 20


class Patterns(columns.FormattableColumn[Sequence[str]]):
    """Patterns of compute hosts, in tables one per line."""

    def human_readable(self) -> str:
        """Return one pattern per line."""
        return "\n".join(self._value)


class Ports(columns.FormattableColumn[Row]):
    """Ports of a console host, in tables as options take them."""

    def human_readable(self) -> str:
        """Return the range, or the port that all consoles share."""
        if self._value["multiplex_port"] is not None:
            return f"{self._value['multiplex_port']} (multiplexed)"
        return f"{self._value['min_port']}-{self._value['max_port']}"


class FailedConsoles(columns.FormattableColumn[list[Row]]):
    """Consoles that an agent cannot serve, in tables one per line."""

    def __init__(self, consoles: Iterable[ListedConsole], more: int) -> None:
        """Show some consoles.

        :param more: how many others there are
        """
        super().__init__(
            [
                {
                    "id": console.id,
                    "server_id": console.server_id,
                    "port": console.port,
                    "reason": console.problem,
                }
                for console in consoles
            ]
        )
        self._more = more

    def human_readable(self) -> str:
        """Return one console with its reason per line."""
        lines = [
            f"{console['id']} of server {console['server_id']}: "
            f"{console['reason']}"
            for console in self._value
        ]
        if self._more:
            lines.append(f"and {self._more} more")
        return "\n".join(lines)


class List(DisplayCommand, lister.Lister):
    """List all console hosts.

    A console host is down if its agent has not reported within the last
    [consoles] host_down_time seconds, and failing if the agent reports trouble
    or serves none of its consoles. A host that is down gets no new consoles,
    and one that is failing only if no other can accept them.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> Table:
        """Return the console hosts."""
        manager = ConsoleHostManager(
            self.app.database, self.app.conf.consoles.host_down_time
        )
        return COLUMNS, [_row(host) for host in manager.list()]


class Show(DisplayCommand, show.ShowOne):
    """Show a console host with the consoles that its agent cannot serve.

    The first 20 of these are shown, with the reasons.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the console host."""
        parser = super().get_parser(prog_name)
        add_identity(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the console host."""
        database = self.app.database
        down_time = self.app.conf.consoles.host_down_time
        try:
            host = ConsoleHostManager(database, down_time).get(
                parsed_args.host, parsed_args.console_type
            )
        except errors.ConsoleHostNotFound as error:
            raise not_found(parsed_args) from error
        page = ConsoleListing(database, down_time).page(
            ConsoleFilters(
                console_host=host.host,
                console_type=host.console_type,
                state=ConsoleState.FAILED,
            ),
            limit=_MAX_FAILED,
        )
        more = max(0, (host.failed or 0) - len(page.consoles))
        return (
            (*COLUMNS, "trouble", "version", "driver", "failed_consoles"),
            (
                *_row(host),
                host.trouble,
                host.version,
                host.driver,
                FailedConsoles(page.consoles, more),
            ),
        )


def _row(host: ConsoleHost) -> Sequence[object]:
    names = ("min_port", "max_port", "multiplex_port")
    return (
        host.host,
        host.console_type,
        host.public_hostname,
        Patterns(host.compute_hosts),
        Ports({name: getattr(host, name) for name in names}),
        host.ports_used,
        host.consoles,
        host.served,
        host.failed,
        host.enabled,
        host.state,
        host.last_seen_at and host.last_seen_at.isoformat(),
    )
