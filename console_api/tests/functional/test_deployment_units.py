# SPDX-License-Identifier: Apache-2.0
"""The systemd units are valid and hardened."""

import subprocess
import sys
import uuid
from pathlib import Path

from console_api.tests import prerequisites
from console_api.tests.functional import (
    agents,
    base,
    configuration,
    examples,
)

BIN = Path(sys.executable).parent


class UnitsTest(base.DatabaseTestCase):
    backend = "sqlite"
    names = (
        "console-api.service",
        "console-api-agent.service",
        "console-api-gateway.service",
    )

    def setUp(self):
        super().setUp()
        self.analyze = prerequisites.find_program("systemd-analyze")
        self.folder = configuration.temporary_folder()
        self.units = [
            examples.write(
                name, self.folder, {"/opt/console_api/bin": str(BIN)}
            )
            for name in self.names
        ]

    def test_units_are_valid_and_hardened(self):
        for unit in self.units:
            # An exposure level of 1.5 of 10 at most; most of it is network.
            for command in (
                ("verify", "--man=no"),
                ("security", "--offline=true", "--threshold=15"),
            ):
                with self.subTest(unit=unit.name, command=command[0]):
                    done = subprocess.run(
                        [self.analyze, *command, str(unit)],
                        check=False,
                        capture_output=True,
                        text=True,
                        timeout=examples.TIMEOUT,
                    )
                    self.assertEqual(0, done.returncode, done.stdout)
                    self.assertEqual("", done.stderr)

    def test_agent_unit_starts_agent(self):
        database = configuration.migrated(self.backend)
        name = f"console-{uuid.uuid4().hex}"
        # Other tests use the database: no console of theirs is placed here.
        options = {"agent": {"compute_hosts": name}}
        folder = agents.configure(database, name, options)
        agent = agents.Agent(folder, examples.exec_start(self.units[1]))
        self.assertEqual(0, agent.stop())
