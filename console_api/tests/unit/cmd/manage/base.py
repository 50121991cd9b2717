# SPDX-License-Identifier: Apache-2.0
"""What tests of ``console-api-manage`` share: the program in this process."""

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from console_api.cmd.manage import app
from console_api.tests.unit import base


@dataclass(frozen=True)
class Outcome:
    """How a run of the program ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The document that was printed."""
        return json.loads(self.stdout)


def run(folder: Path, *arguments: str, stdin: bytes = b"") -> Outcome:
    """Run the program with the configuration of a folder."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        logging_restored(),
    ):
        try:
            status = app.main(["--config-dir", str(folder), *arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Outcome(status, stdout.getvalue(), stderr.getvalue())


@contextlib.contextmanager
def logging_restored() -> Iterator[None]:
    """Let a program set logging up as for a process, and take it back."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    root.handlers.clear()
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        for name in ("alembic", "sqlalchemy"):
            logging.getLogger(name).setLevel(logging.NOTSET)


class ManageCase(base.DatabaseCase):
    """Each test has a database, and the program that manages it."""

    def run_manage(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run the program on the test's database."""
        return run(self.folder, *arguments, stdin=stdin)

    def manage(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run the program, which must not complain."""
        outcome = self.run_manage(*arguments, stdin=stdin)
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))
        return outcome

    def assertRefused(
        self, text: str, *arguments: str, status: int = 1, stdin: bytes = b""
    ) -> Outcome:
        """Run the program, which must refuse in one line with this text."""
        outcome = self.run_manage(*arguments, stdin=stdin)
        self.assertIn(text, outcome.stderr)
        self.assertEqual(
            (status, "", 1),
            (outcome.status, outcome.stdout, outcome.stderr.count("\n")),
            outcome.stderr,
        )
        return outcome
