# SPDX-License-Identifier: Apache-2.0
"""``openstack server console open``."""

from __future__ import annotations

import argparse
import contextlib
import re
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from osc_lib import exceptions

from console_api_client.osc import wait
from console_api_client.osc.base import ServerCommand, require_password
from console_api_client.sdk import Console
from console_api_client.viewers import choice
from console_api_client.viewers.base import Target, Viewer
from console_api_client.viewers.remote_viewer import connection_file

_VIEWER_HELP = """\
Viewer to start, with options if needed. By default, the first installed one of
remote-viewer, vncviewer (TigerVNC) and, on macOS, Screen Sharing (open). In
any other command, {host}, {port} and {password_file} are replaced, and its
environment has CONSOLE_HOST, CONSOLE_PORT and CONSOLE_PASSWORD."""

# Viewers take anything else for an option, a file or another line.
_HOST = re.compile(r"[\w.:%][\w.:%-]*")


class OpenConsole(ServerCommand):
    """Show the screen of a server in a viewer.

    Creates a console if the server has none, waits until it is served, and
    ends when the viewer does.
    """

    example = "server console open web-1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--viewer",
            metavar="<command>",
            help=" ".join(_VIEWER_HELP.split()),
        )
        how.add_argument(
            "--print-vv",
            action="store_true",
            help="Start no viewer; print a connection file, which contains "
            "the password, for remote-viewer on another desktop",
        )
        parser.add_argument(
            "--delete-on-exit",
            action="store_true",
            help="Delete the console when the viewer ends",
        )
        wait.add_timeout(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Create the console and start the viewer."""
        if parsed_args.print_vv and parsed_args.delete_on_exit:
            raise exceptions.CommandError(
                "--delete-on-exit is for a viewer, and --print-vv starts none."
            )
        viewer = None
        if not parsed_args.print_vv:
            # Before a console is created in vain.
            viewer = choice.choose(parsed_args.viewer)
        server_id = self.find_server_id(parsed_args.server)
        with _ended_by_signals():
            console = self.console.create_console(server_id)
            try:
                console = self.console.wait_for_console(
                    server_id, console, wait=parsed_args.timeout
                )
                _show(viewer, _target(console, parsed_args.server))
            finally:
                if parsed_args.delete_on_exit:
                    self.console.delete_console(server_id, console)


def _target(console: Console, title: str) -> Target:
    if console.host is None or console.port is None:
        raise exceptions.CommandError(
            f"Console {console.id} has no host and port that viewers could "
            "connect to."
        )
    if not _HOST.fullmatch(str(console.host)):
        raise exceptions.CommandError(
            f"The service gives {console.host!r} as the host of console "
            f"{console.id}, which is no host name or address. Ask the "
            "operator of the cloud."
        )
    password = require_password(console)
    return Target(console.host, console.port, password, title)


def _show(viewer: Viewer | None, target: Target) -> None:
    if viewer is None:
        sys.stdout.write(connection_file(target))
        return
    status = viewer.run(target)
    if status:
        raise exceptions.CommandError(
            f"{viewer.command[0]} exited with status {status}."
        )


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End on signals as on errors, so that files and consoles are deleted."""

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signals = [signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)]
    before = {number: signal.signal(number, end) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
