# SPDX-License-Identifier: Apache-2.0
"""Run a program in the process of a test."""

import contextlib
import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Outcome:
    """The result of a run of the program."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The JSON document that was printed."""
        return json.loads(self.stdout)


def run(
    main: Callable[[Sequence[str]], int],
    folder: Path,
    *arguments: str,
    stdin: bytes = b"",
) -> Outcome:
    """Run a program with the configuration of a folder.

    :param main: its main function
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        logging_restored(),
    ):
        try:
            status = main(["--config-dir", str(folder), *arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Outcome(status, stdout.getvalue(), stderr.getvalue())


@contextlib.contextmanager
def logging_restored() -> Iterator[None]:
    """Restore the configuration of logging afterwards."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    root.handlers.clear()
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = handlers
        for name in ("alembic", "console_api", "sqlalchemy"):
            logging.getLogger(name).setLevel(logging.NOTSET)
