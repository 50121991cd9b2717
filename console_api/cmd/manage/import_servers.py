# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage server import``: all servers in a file, or none.

The whole file is checked before anything is stored, so that one run reports
everything that is wrong with it.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from console_api import errors
from console_api.cmd.commands import counted
from console_api.cmd.manage import import_check
from console_api.cmd.manage.base import ManageCommand
from console_api.cmd.manage.import_check import Servers
from console_api.cmd.manage.import_formats import READERS
from console_api.db import servers
from console_api.db.engine import Database

#: The file name of standard input.
STDIN = "-"

# How many problems are reported.
_MAX_REPORTED = 20


class Import(ManageCommand):
    """Register all servers in a JSON or CSV file, or none of them.

    JSON is a list of objects with uuid, project_id, name, and optionally
    instance_name, compute_host and endpoints. Endpoints are a list of objects
    with protocol, host, port, and optionally tls_port and
    internal_access_path. CSV has columns of the same names, those of
    endpoints prefixed by the protocol: vnc_host, vnc_port, vnc_tls_port,
    vnc_internal_access_path, spice_host and so on. Empty cells count as
    absent.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the file."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "file",
            metavar="FILE",
            help="The file, encoded in UTF-8, or - for standard input.",
        )
        parser.add_argument(
            "--file-format",
            choices=sorted(READERS),
            help="The format of the file. (default: the suffix of its name)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Check the file, store its servers and print their number."""
        database = self.app.database
        found = read_file(parsed_args.file, parsed_args.file_format)
        with self.progress("Storing") as update:
            count = store(database, found, update)
        self.say(f"Imported {counted(count, 'server')}.")


def read_file(name: str, file_format: str | None) -> Servers:
    """Read and check a file.

    :param name: its path, or ``-`` for standard input
    :param file_format: ``csv`` or ``json``, or None for the suffix of the
        name
    :raises InvalidInput: it cannot be read, or its format is unknown
    """
    file_format = file_format or Path(name).suffix.removeprefix(".").lower()
    if file_format not in READERS:
        raise errors.InvalidInput(
            f"The format of {name} is unknown. Choose one with --file-format."
        )
    try:
        data = sys.stdin.buffer.read() if name == STDIN else _read(name)
    except OSError as error:
        raise errors.InvalidInput(
            f"Cannot read {name}: {error.strerror}."
        ) from error
    return import_check.check(data, file_format)


def _read(name: str) -> bytes:
    return Path(name).read_bytes()


def store(
    database: Database,
    result: Servers,
    progress: Callable[[int, int], None],
) -> int:
    """Store all servers in a file.

    :param progress: called with the number of rows stored, and of all rows
    :returns: the number of servers stored
    :raises InvalidInput: there are problems; nothing was stored
    """
    _check_stored(database, result)
    _refuse_problems(result)
    try:
        servers.insert(database, result.servers, progress)
    except errors.AlreadyExists:
        # Another process has stored one of them since the check.
        _check_stored(database, result)
        _refuse_problems(result)
        raise
    return len(result.servers)


def _check_stored(database: Database, result: Servers) -> None:
    for uuid in servers.existing(database, result.places):
        line, place = result.places[uuid]
        result.problems.append(
            (line, f"{place}: uuid {uuid} is already stored")
        )


def _refuse_problems(result: Servers) -> None:
    if not result.problems:
        return
    # By line alone: the problems of a line stay in their order.
    found = sorted(result.problems, key=lambda problem: problem[0])
    lines = [problem for _line, problem in found[:_MAX_REPORTED]]
    if len(found) > _MAX_REPORTED:
        lines.append(f"... and {len(found) - _MAX_REPORTED} more")
    lines.append(
        "Nothing was stored. Correct the file and run the command again."
    )
    raise errors.InvalidInput("\n".join(lines))
