# SPDX-License-Identifier: Apache-2.0
"""``openstack console host``: hosts that serve consoles."""

import argparse

from cliff import columns
from osc_lib.cli import format_columns
from osc_lib.command import command

from console_api.osc.base import ComputeCommand, Table
from console_api.osc.sdk import ConsoleHost

_COLUMNS = (
    "Host",
    "Console Type",
    "Public Hostname",
    "Compute Hosts",
    "Ports",
    "Ports Used",
    "Consoles",
    "Served",
    "Failed",
    "Enabled",
    "State",
    "Trouble",
    "Version",
    "Driver",
    "Last Seen At",
)


class Ports(columns.FormattableColumn[dict[str, int]]):
    """Ports of a console host, in tables a range or the shared port."""

    def human_readable(self) -> str:
        """Return the ports as a string."""
        if "multiplex" in self._value:
            return f"{self._value['multiplex']} (multiplexed)"
        return f"{self._value['min']}-{self._value['max']}"


class ListConsoleHost(ComputeCommand, command.Lister):
    """List the console hosts (admin only)."""

    def take_action(self, _parsed_args: argparse.Namespace) -> Table:
        """Return the console hosts."""
        return _COLUMNS, [
            (
                host.host,
                host.console_type,
                host.public_hostname,
                format_columns.ListColumn(host.compute_hosts),
                Ports(host.ports),
                host.ports_used,
                host.consoles,
                host.served,
                host.failed,
                host.is_enabled,
                host.state,
                host.trouble,
                host.version,
                host.driver,
                host.last_seen_at,
            )
            for host in ConsoleHost.list(self.compute)
        ]
