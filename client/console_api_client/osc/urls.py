# SPDX-License-Identifier: Apache-2.0
"""``openstack server console url``: the console of a server in a browser."""

from __future__ import annotations

import argparse

from osc_lib.command import command

from console_api_client.osc.base import ServerCommand, Table
from console_api_client.sdk.access import PROTOCOLS


class CreateURL(ServerCommand, command.ShowOne):
    """Create a URL that opens the console of a server in a browser.

    The URL contains a token: anyone who has it can use the console.
    """

    example = "server console url --view-only web-1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--type",
            choices=tuple(PROTOCOLS),
            default="novnc",
            help="Console type (default: novnc)",
        )
        access = parser.add_mutually_exclusive_group()
        access.add_argument(
            "--view-only",
            dest="access",
            action="store_const",
            const="view-only",
            help="Show the screen, but send nothing to the server",
        )
        access.add_argument(
            "--exclusive",
            dest="access",
            action="store_const",
            const="exclusive",
            help="Disconnect other viewers when the URL is opened",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Create the URL and return it."""
        url = self.console.create_url(
            self.find_server_id(parsed_args.server),
            parsed_args.type,
            parsed_args.access,
        )
        return ("type", "url"), (parsed_args.type, url)
