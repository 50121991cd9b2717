# SPDX-License-Identifier: Apache-2.0
"""The ``openstack`` command as users have it, for tests."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console_api.tests.functional import configuration, manage
from console_api.tests.functional.servers import Server

PROGRAM = str(Path(sys.executable).parent / "openstack")


@dataclass(frozen=True)
class Outcome:
    """How a run has ended, and what it said."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The document that it has printed."""
        return json.loads(self.stdout)


def start(server: Server, token: str, *arguments: str) -> subprocess.Popen:
    """Start it for an endpoint and a token that a person names."""
    # Nothing of who runs the tests: no clouds.yaml, no OS_ variables.
    home = configuration.temporary_folder()
    return subprocess.Popen(
        [
            PROGRAM,
            *("--os-auth-type", "admin_token", "--os-token", token),
            *("--os-endpoint", f"{server.url}/v2.1"),
            *arguments,
        ],
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen) -> Outcome:
    """Wait for its end."""
    return Outcome(*manage.end(process))


def run(server: Server, token: str, *arguments: str) -> Outcome:
    """Run it."""
    return end(start(server, token, *arguments))
