# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from console_api_client.tests.base import (
    CONSOLES,
    PASSWORD,
    CloudCase,
    Outcome,
    console,
)


class PasswordTests(CloudCase):
    def setUp(self) -> None:
        super().setUp()
        self.environment["PATH"] = f"{self.folder}:/usr/bin:/bin"
        self.add_consoles(7)
        self.path = self.folder / "password"

    def save(self, *arguments: str, status: int = 0) -> Outcome:
        outcome = self.openstack(
            "server", "console", "password", "web-1", *arguments, status=status
        )
        self.assertNotIn(PASSWORD, outcome.stdout + outcome.stderr)
        return outcome

    def test_password_is_written_to_a_private_file(self) -> None:
        self.save("--file", str(self.path))
        self.assertEqual(f"{PASSWORD}\n", self.path.read_text())
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)

    def test_existing_file_is_kept(self) -> None:
        self.path.write_text("precious")
        outcome = self.save("--file", str(self.path), status=1)
        self.assertIn("exists already", outcome.stderr)
        self.assertEqual("precious", self.path.read_text())

    def test_file_that_cannot_be_written_is_refused(self) -> None:
        outcome = self.save("7", "--file", f"{self.path}/x", status=1)
        self.assertIn("cannot be written: No such file", outcome.stderr)

    def test_console_without_password_is_refused(self) -> None:
        self.answers[f"GET {CONSOLES}/7"] = (200, console(7, password=None))
        outcome = self.save("--file", str(self.path), status=1)
        self.assertIn("does not give the password", outcome.stderr)
        self.assertFalse(self.path.exists())

    def test_password_is_copied_to_the_clipboard(self) -> None:
        self.add_program("xclip", f'cat >"{self.path}"')
        self.save("--clipboard")
        self.assertEqual(PASSWORD, self.path.read_text())

    def test_password_is_passed_to_a_command(self) -> None:
        self.save("--clipboard-command", f"tee '{self.path}'")
        self.assertEqual(PASSWORD, self.path.read_text())

    def test_missing_and_failing_commands_are_refused(self) -> None:
        self.environment["PATH"] = str(self.folder)
        for arguments, message in (
            (("--clipboard",), "Install wl-clipboard, xclip or xsel"),
            (("--clipboard-command", "no-such"), "no-such cannot be started"),
            (("--clipboard-command", "/bin/false"), "exited with status 1"),
            (("--clipboard-command", ""), "requires a command"),
            (("--clipboard-command", "'"), "is not a valid command"),
        ):
            with self.subTest(arguments):
                outcome = self.save(*arguments, status=1)
                self.assertIn(message, outcome.stderr)

    def test_destination_is_required(self) -> None:
        outcome = self.save(status=2)
        self.assertIn("--file --clipboard", outcome.stderr)
