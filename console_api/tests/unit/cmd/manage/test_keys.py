# SPDX-License-Identifier: Apache-2.0
import os

from console_api.db import consoles, tables
from console_api.keys import repository
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER
from console_api.tests.unit.cmd.manage.base import ManageCase

PASSWORD = "s3cr3tpw"


class KeysTest(ManageCase):
    def setUp(self) -> None:
        super().setUp()
        self.keys = self.folder / "keys"

    def add_console(self) -> None:
        self.add_server()
        consoles.insert(
            self.database,
            self.add_console_host(),
            base.new_console(
                SERVER,
                encrypted_password=repository.KeyRepository(self.keys).encrypt(
                    PASSWORD
                ),
            ),
        )

    def assertNoSecrets(self, text: str) -> None:
        self.assertNotIn(PASSWORD, text)
        for number in repository.numbers(self.keys):
            key = (self.keys / str(number)).read_text()
            self.assertNotIn(key, text)

    def test_setup_creates_keys_once(self) -> None:
        outcome = self.manage("keys", "setup")
        self.assertEqual(f"Created keys in {self.keys}.\n", outcome.stdout)
        before = (self.keys / "1").read_bytes()
        outcome = self.manage("keys", "setup")
        self.assertIn("already contains keys", outcome.stdout)
        self.assertEqual(before, (self.keys / "1").read_bytes())

    def test_setup_needs_no_database(self) -> None:
        (self.folder / "console_api.sqlite").unlink()
        self.manage("keys", "setup")

    def test_setup_reports_errors_of_the_file_system(self) -> None:
        self.keys.write_text("in the way")
        self.assertRefused(f"{self.keys}: File exists.", "keys", "setup")

    def test_rotate_without_keys_names_the_command_to_run(self) -> None:
        self.assertRefused("console-api-manage keys setup", "keys", "rotate")

    def test_rotate_prints_numbers_without_secrets(self) -> None:
        self.manage("keys", "setup")
        self.add_console()
        outcome = self.manage("keys", "rotate")
        self.assertEqual(
            "Key 2 is primary. Re-encrypted 1 of 1 password. Deleted 0 "
            f"keys.\nCopy {self.keys} to every machine that runs the API and "
            "to every console host.\n",
            outcome.stdout,
        )
        self.assertNoSecrets(outcome.stdout)

    def test_rotate_explains_why_old_keys_are_kept(self) -> None:
        self.manage("keys", "setup")
        self.manage("keys", "rotate")
        outcome = self.manage("keys", "rotate")
        self.assertIn("Old keys are kept until a later", outcome.stdout)
        self.assertEqual([0, 1, 2, 3], repository.numbers(self.keys))

    def test_rotate_keeps_max_active_keys(self) -> None:
        self.manage("keys", "setup")
        for _ in range(3):
            for number in repository.numbers(self.keys):
                os.utime(self.keys / str(number), (1, 1))
            self.manage("keys", "rotate")
        self.assertEqual([0, 3, 4], repository.numbers(self.keys))

    def test_rotate_names_consoles_that_no_key_decrypts(self) -> None:
        self.manage("keys", "setup")
        self.add_console()
        for number in (0, 1):
            (self.keys / str(number)).unlink()
        self.manage("keys", "setup")
        [console] = self.rows(tables.consoles)
        outcome = self.assertRefused(f": {console.id}. No", "keys", "rotate")
        self.assertNoSecrets(outcome.stderr)

    def test_help_names_the_user_who_reads_the_keys(self) -> None:
        for command in ("setup", "rotate"):
            text = self.manage("keys", command, "--help").stdout
            self.assertIn(
                "must be readable by the user that the service runs as",
                " ".join(text.split()),
            )
