# SPDX-License-Identifier: Apache-2.0
"""``openstack server console password``."""

from __future__ import annotations

import argparse
from pathlib import Path

from osc_lib import exceptions

from console_api_client.osc.base import OneConsoleCommand, require_password
from console_api_client.viewers import clipboard, files


class ConsolePassword(OneConsoleCommand):
    """Save the password of a console without showing it on the screen."""

    example = "server console password --clipboard web-1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the destination."""
        parser = super().get_parser(prog_name)
        destination = parser.add_mutually_exclusive_group(required=True)
        destination.add_argument(
            "--file",
            metavar="<path>",
            type=Path,
            help="Write it to a new file that only you can read",
        )
        destination.add_argument(
            "--clipboard",
            action="store_true",
            help="Copy it to the clipboard of the desktop",
        )
        destination.add_argument(
            "--clipboard-command",
            metavar="<command>",
            help="Pass it to the standard input of a command, such as 'tmux "
            "load-buffer -'",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Fetch the password and save it."""
        password = require_password(self.find_console(parsed_args))
        if parsed_args.file is None:
            clipboard.copy(password, parsed_args.clipboard_command)
        else:
            _write(parsed_args.file, password)


def _write(path: Path, password: str) -> None:
    try:
        files.create_private(path, f"{password}\n")
    except FileExistsError as error:
        raise exceptions.CommandError(
            f"{path} exists already. Delete it, or choose another name."
        ) from error
    except OSError as error:
        raise exceptions.CommandError(
            f"{path} cannot be written: {error.strerror}"
        ) from error
