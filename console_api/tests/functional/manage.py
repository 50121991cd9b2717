# SPDX-License-Identifier: Apache-2.0
"""Run ``console-api-manage`` in the process of a test, or in its own.

A process takes most of a second to start.  Tests use one only if they kill
the program, run it twice at once, or read its output through a pipe.
"""

import subprocess
import sys
from pathlib import Path

from console_api.tests.functional import base, configuration
from console_api.tests.unit.cmd.manage.base import run
from console_api.tests.waiting import wait_until

PROGRAM = str(Path(sys.executable).parent / "console-api-manage")

# Seconds that a run may take.
TIMEOUT = 120

#: A command that only needs the database.
LIST = ("server", "list")

#: An endpoint on the command line.
VNC = "protocol=vnc,host=192.0.2.10,port=5900"


def start(folder: Path, *arguments: str, **kwargs) -> subprocess.Popen:
    """Start the program with the configuration of a folder."""
    return subprocess.Popen(
        [PROGRAM, "--config-dir", str(folder), *arguments],
        **{
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            **kwargs,
        },
    )


def end(process: subprocess.Popen) -> tuple[int, str, str]:
    """Wait for the program; return its status, stdout and stderr."""
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, stdout, stderr


class ManageCase(base.DatabaseTestCase):
    """Each test has a database and a configuration for it."""

    #: Whether the database has the schema from the start.
    migrated = True

    def setUp(self):
        super().setUp()
        self.database = self.new_database()
        if self.migrated:
            configuration.migrate(self.database)
        self.folder = configuration.write(
            configuration.temporary_folder(), self.database
        )
        self.keys = self.folder / "keys"

    def start(self, *arguments, **kwargs):
        process = start(self.folder, *arguments, **kwargs)
        self.addCleanup(self.stop, process)
        return process

    def stop(self, process):
        if process.poll() is None:
            process.kill()
        with process:
            pass

    def manage(self, *arguments):
        """Run a command, which must succeed; return its output."""
        outcome = run(self.folder, *arguments)
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))
        return outcome.stdout

    def refused(self, *arguments):
        """Run a command, which must fail; return its errors."""
        outcome = run(self.folder, *arguments)
        self.assertEqual(
            (1, ""), (outcome.status, outcome.stdout), outcome.stderr
        )
        self.assertNotIn("Traceback", outcome.stderr)
        return outcome.stderr

    def wait_until(self, condition, process):
        """Wait for a condition while the program runs."""
        wait_until(lambda: condition() or process.poll() is not None)
        self.assertIsNone(process.poll(), "It exited.")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)
