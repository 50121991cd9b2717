# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage server import``: all servers of a file, or none.

A file is checked as a whole before anything is written, so that one run
names all that is wrong with it.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from console_api import errors
from console_api.cmd.manage import import_check
from console_api.cmd.manage.base import ManageCommand
from console_api.cmd.manage.import_check import Servers
from console_api.cmd.manage.import_formats import READERS
from console_api.db import servers
from console_api.db.engine import Database

#: The name of the file that stands for standard input.
STDIN = "-"

# How many problems are reported.
_REPORTED = 20


class Import(ManageCommand):
    """Register all servers of a JSON or CSV file, or none of them.

    JSON is a list of objects with uuid, project_id, name and, if wanted,
    instance_name, compute_host and endpoints: a list of objects with
    protocol, host, port and, if wanted, tls_port and internal_access_path.
    CSV has the same names as columns, those of endpoints with the protocol
    before them: vnc_host, vnc_port, vnc_tls_port, vnc_internal_access_path,
    spice_host and so on; an empty cell is a value that is not there.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the file."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "file",
            metavar="FILE",
            help="The file, in UTF-8; - is standard input.",
        )
        parser.add_argument(
            "--file-format",
            choices=sorted(READERS),
            help="The format of the file. (default: as its name ends)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Check the whole file, then store it."""
        database = self.app.database
        found = read_file(parsed_args.file, parsed_args.file_format)
        with self.progress("Storing") as update:
            count = store(database, found, update)
        self.say(f"Imported {count} servers.")


def read_file(name: str, file_format: str | None) -> Servers:
    """Read and check a file.

    :param name: its path, or ``-`` for standard input
    :param file_format: ``csv`` or ``json``; None: as the name ends
    :raises InvalidInput: it cannot be read, or its format is not known
    """
    file_format = file_format or Path(name).suffix.removeprefix(".").lower()
    if file_format not in READERS:
        raise errors.InvalidInput(
            f"Is {name} CSV or JSON? Say so with --file-format."
        )
    try:
        data = sys.stdin.buffer.read() if name == STDIN else _read(name)
    except OSError as error:
        raise errors.InvalidInput(
            f"{name} cannot be read: {error.strerror}."
        ) from error
    return import_check.check(data, file_format)


def _read(name: str) -> bytes:
    return Path(name).read_bytes()


def store(
    database: Database,
    result: Servers,
    progress: Callable[[int, int], None],
) -> int:
    """Store all servers of a file.

    :param progress: called with how many rows are written, of how many
    :returns: how many servers were stored
    :raises InvalidInput: something is wrong; nothing was stored
    """
    _check_stored(database, result)
    _refuse_problems(result)
    total = len(result.servers) + len(result.endpoints)
    try:
        servers.insert(
            database,
            result.servers,
            result.endpoints,
            lambda done: progress(done, total),
        )
    except errors.AlreadyExists:
        # Somebody has stored one of them since they were looked for.
        _check_stored(database, result)
        _refuse_problems(result)
        raise
    return len(result.servers)


def _check_stored(database: Database, result: Servers) -> None:
    for uuid in servers.existing(database, list(result.places)):
        line, place = result.places[uuid]
        result.problems.append(
            (line, f"{place}: uuid {uuid} is stored already")
        )


def _refuse_problems(result: Servers) -> None:
    if not result.problems:
        return
    # Sorted by line alone, so that those of a line stay in their order.
    found = sorted(result.problems, key=lambda problem: problem[0])
    lines = [problem for _line, problem in found[:_REPORTED]]
    if len(found) > _REPORTED:
        lines.append(f"... and {len(found) - _REPORTED} more")
    raise errors.InvalidInput(
        "\n".join([*lines, "Nothing was stored. Correct these and try again."])
    )
