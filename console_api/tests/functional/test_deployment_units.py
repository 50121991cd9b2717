# SPDX-License-Identifier: Apache-2.0
"""The units are ones that systemd takes, and lets do little."""

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
    names = ("console-api.service", "console-api-agent.service")

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

    def test_what_systemd_says_of_the_units(self):
        for unit in self.units:
            # As exposed as 1.4 of 10, which is what the network makes it.
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

    def test_the_agent_starts_as_its_unit_says(self):
        database = configuration.migrated(self.backend)
        folder = agents.configure(database, f"console-{uuid.uuid4().hex}")
        agent = agents.Agent(folder, examples.exec_start(self.units[1]))
        self.assertEqual(0, agent.stop())
