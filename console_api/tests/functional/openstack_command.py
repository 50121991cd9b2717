# SPDX-License-Identifier: Apache-2.0
"""Run the ``openstack`` command, in the process of a test or its own.

The command takes a second to start, so it is a separate process only where a
test watches it while it runs or uses the client's own commands: the client
keeps its connections for the rest of the process.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from openstackclient import shell
from osc_lib import clientmanager

from console_api.tests.functional import configuration, manage
from console_api.tests.functional.servers import Server
from console_api.tests.unit.cmd.program import logging_restored

PROGRAM = str(Path(sys.executable).parent / "openstack")


@dataclass(frozen=True)
class Outcome:
    """The result of a run of the command."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The JSON document that was printed."""
        return json.loads(self.stdout)


def start(server: Server, token: str, *arguments: str) -> subprocess.Popen:
    """Start the command in a process, with an endpoint and a token."""
    home = configuration.temporary_folder()
    return subprocess.Popen(
        [PROGRAM, *_arguments(server, token), *arguments],
        cwd=home,
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen) -> Outcome:
    """Wait for the process and return its result."""
    return Outcome(*manage.end(process))


def call(
    variables: Mapping[str, str], *arguments: str, status: int = 0
) -> str:
    """Run the command in a process, without an endpoint and a token.

    :param variables: of its environment
    :param status: the expected exit status
    :returns: what it prints; its errors if it fails
    """
    home = configuration.temporary_folder()
    done = subprocess.run(
        [PROGRAM, *arguments],
        cwd=home,
        env={**_environment(home), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != status:
        raise RuntimeError(f"openstack {' '.join(arguments)} failed: {done}")
    return done.stderr if status else done.stdout


def run(server: Server, token: str, *arguments: str) -> Outcome:
    """Run the command in this process."""
    home = configuration.temporary_folder()
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        contextlib.chdir(home),
        mock.patch.dict(os.environ, _environment(home), clear=True),
        # The client keeps its connections on a class, for the whole process.
        mock.patch.object(
            clientmanager.ClientCache, "__get__", _client_of_command
        ),
        # Otherwise the help has the name of the program that runs the tests.
        mock.patch.object(shell.OpenStackShell, "NAME", "openstack"),
        warnings.catch_warnings(),
        logging_restored(),
    ):
        try:
            status = shell.main([*_arguments(server, token), *arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Outcome(status, stdout.getvalue(), stderr.getvalue())


def _client_of_command(
    cache: clientmanager.ClientCache, manager: Any, _owner: type
) -> Any:
    """Return a client that is kept only while a command runs."""
    clients = vars(manager).setdefault("_clients_of_command", {})
    if cache not in clients:
        clients[cache] = cache.factory(manager)
    return clients[cache]


def _arguments(server: Server, token: str) -> list[str]:
    return [
        *("--os-auth-type", "admin_token", "--os-token", token),
        *("--os-endpoint", f"{server.url}/v2.1"),
    ]


def _environment(home: Path) -> dict[str, str]:
    """Return an environment without clouds.yaml and OS_* variables.

    The command sets the locale from it, which stays that of this process.
    """
    kept = {"PATH", "LANG", "LC_ALL", "LC_CTYPE"} & os.environ.keys()
    return {"HOME": str(home), **{name: os.environ[name] for name in kept}}
