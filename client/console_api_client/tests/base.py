# SPDX-License-Identifier: Apache-2.0
"""Run ``openstack`` in the process of a test, against a fake cloud."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import tempfile
import unittest
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import openstack
from openstackclient import shell
from osc_lib import clientmanager

from console_api_client import sdk
from console_api_client.tests.cloud import SERVER, Cloud

CONSOLES = f"console /servers/{SERVER}/consoles"
STATES = f"GET console /os-consoles?server_id={SERVER}"

PASSWORD = "ULtA1y1q"


def console(number: int, **values: Any) -> dict[str, Any]:
    """Return a console as the service shows it."""
    return {
        "console": {
            "id": number,
            "console_type": "vnc",
            "host": "consoles.example.org",
            "port": 5919,
            "password": PASSWORD,
            "instance_name": "instance-1",
            **values,
        }
    }


@dataclass(frozen=True)
class Outcome:
    """The result of a command."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The JSON document that was printed."""
        return json.loads(self.stdout)


class CloudCase(unittest.TestCase):
    """Each test has a cloud in which the server web-1 exists."""

    services: ClassVar[Sequence[str]] = ("compute", "console")

    def setUp(self) -> None:
        super().setUp()
        self.cloud = Cloud(self.services)
        self.addCleanup(self.cloud.stop)
        self.answers = self.cloud.answers
        self.add_servers(("web-1", SERVER))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.environment = {
            "HOME": str(self.folder),
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(self.folder),
            "DISPLAY": ":0",
        }

    def add_servers(self, *servers: tuple[str, str]) -> None:
        """Let compute have servers, by name and ID."""
        for name, _ in servers:
            found = [
                {"id": server_id, "name": other}
                for other, server_id in servers
                if other == name
            ]
            for path in ("/servers/detail", "/servers"):
                self.answers[f"GET compute {path}?name={name}"] = (
                    200,
                    {"servers": found},
                )
        for name, server_id in servers:
            self.answers[f"GET compute /servers/{server_id}"] = (
                200,
                {"server": {"id": server_id, "name": name}},
            )

    def add_consoles(self, *numbers: int) -> None:
        """Let the server have consoles with these IDs."""
        listed = [
            {"console": {"id": number, "console_type": "vnc"}}
            for number in numbers
        ]
        self.answers[f"GET {CONSOLES}"] = (200, {"consoles": listed})
        self.answers[f"POST {CONSOLES}"] = (200, None)
        for number in numbers:
            self.answers[f"GET {CONSOLES}/{number}"] = (200, console(number))
            self.answers[f"DELETE {CONSOLES}/{number}"] = (202, None)

    def add_states(self, *states: dict[str, Any], number: int = 7) -> None:
        """Let the service report a console's consecutive states."""
        self.answers[STATES] = [
            (200, {"consoles": [{"id": number, **state}]}) for state in states
        ]

    @property
    def credentials(self) -> dict[str, str]:
        """What openstacksdk and the command authenticate with."""
        return {
            "auth_url": f"{self.cloud.url}/identity/v3",
            "username": "user",
            "password": "password-of-the-user",
            "project_name": "demo",
            "user_domain_id": "default",
            "project_domain_id": "default",
        }

    def connect(self, **options: Any) -> sdk.Proxy:
        """Return the service of a connection of openstacksdk.

        :param options: further ones of the cloud
        """
        connection = openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            region_name="one",
            auth=self.credentials,
            **options,
        )
        self.addCleanup(connection.close)
        if "vendor_hook" not in options:
            sdk.add_service(connection)
        proxy: sdk.Proxy = getattr(connection, sdk.SERVICE_TYPE)
        return proxy

    def openstack(self, *arguments: str, status: int = 0) -> Outcome:
        """Run the command and check its exit status."""
        options = [
            f"--os-{name.replace('_', '-')}={value}"
            for name, value in self.credentials.items()
        ]
        outcome = _run([*options, *arguments], self.environment)
        self.assertEqual(status, outcome.status, outcome)
        return outcome

    def json(self, *arguments: str) -> Any:
        """Run the command and return the JSON that it prints."""
        return self.openstack(*arguments, "-f", "json").json

    def assert_refused(self, message: str, *arguments: str) -> None:
        """Assert that a command fails with nothing but a message."""
        outcome = self.openstack(*arguments, status=1)
        self.assertIn(message, outcome.stderr)
        self.assertNotIn("Traceback", outcome.stderr)
        self.assertEqual("", outcome.stdout.strip())

    def add_program(self, name: str, script: str) -> None:
        """Install a program, a script for the shell of the system."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)


def _run(arguments: Sequence[str], environment: dict[str, str]) -> Outcome:
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        mock.patch.dict(os.environ, environment, clear=True),
        # The client keeps its connections on a class, for the whole process.
        mock.patch.object(clientmanager.ClientCache, "__get__", _client),
        mock.patch.object(shell.OpenStackShell, "NAME", "openstack"),
        _logging_restored(),
    ):
        try:
            status = shell.main(list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Outcome(status, stdout.getvalue(), stderr.getvalue())


@contextlib.contextmanager
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = before, level


def _client(cache: Any, manager: Any, _owner: type) -> Any:
    """Return a client that is kept only while a command runs."""
    clients = vars(manager).setdefault("_clients_of_command", {})
    if cache not in clients:
        clients[cache] = cache.factory(manager)
    return clients[cache]
