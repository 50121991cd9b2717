# SPDX-License-Identifier: Apache-2.0
"""Run ``console-api-manage`` in the process of a test."""

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
    """The result of a run of the program."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The JSON document that was printed."""
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
        for name in ("alembic", "sqlalchemy"):
            logging.getLogger(name).setLevel(logging.NOTSET)


class ManageCase(base.DatabaseCase):
    """Each test has a database and can run the program on it."""

    def run_manage(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run the program on the test's database."""
        return run(self.folder, *arguments, stdin=stdin)

    def manage(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run the program, which must succeed."""
        outcome = self.run_manage(*arguments, stdin=stdin)
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))
        return outcome

    def assertRefused(
        self, text: str, *arguments: str, status: int = 1, stdin: bytes = b""
    ) -> Outcome:
        """Run the program, which must fail with this text on one line."""
        outcome = self.run_manage(*arguments, stdin=stdin)
        self.assertIn(text, outcome.stderr)
        self.assertEqual(
            (status, "", 1),
            (outcome.status, outcome.stdout, outcome.stderr.count("\n")),
            outcome.stderr,
        )
        return outcome
