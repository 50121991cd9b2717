# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage keys``: keys that encrypt console passwords."""

import argparse
from pathlib import Path

from console_api.cmd.commands import counted
from console_api.cmd.manage.base import ManageCommand
from console_api.keys import repository, rotation

_PERMISSIONS = (
    "The API and agents read the keys: the folder must be readable by the "
    "user that the service runs as, and by no other user. Run the command as "
    "that user, or change the owner of the folder with chown before the "
    "service starts. When root runs the command, new keys belong to the owner "
    "of the folder."
)


class _KeysCommand(ManageCommand):
    _epilog: str | None = _PERMISSIONS  # type: ignore[assignment]

    @property
    def folder(self) -> Path:
        """The folder of the key repository."""
        return Path(self.app.conf.passwords.key_repository)


class Setup(_KeysCommand):
    """Create the key repository, unless it exists.

    The folder is [passwords] key_repository. Copy it to every machine that
    runs the API and to every console host.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Create the keys and print where they are."""
        if repository.setup(self.folder):
            self.say(f"Created keys in {self.folder}.")
        else:
            self.say(
                f"{self.folder} already contains keys. Nothing was changed."
            )


class Rotate(_KeysCommand):
    """Re-encrypt all console passwords with a new key and delete old keys.

    The staged key becomes the primary key and a new key is staged. All
    passwords are re-encrypted with the primary key, then the oldest keys in
    excess of [passwords] max_active_keys are deleted, unless the previous
    rotation was only minutes ago. It is safe to interrupt a rotation; run
    the command again to complete it. Before the next rotation, copy the
    folder to every machine that runs the API and to every console host, which
    otherwise cannot serve new consoles.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Rotate the keys and print what was done."""
        database = self.app.database
        with self.progress("Re-encrypting passwords") as update:
            done = rotation.rotate(
                database,
                self.folder,
                self.app.conf.passwords.max_active_keys,
                update,
            )
        self.say(
            f"Key {done.primary} is primary. Re-encrypted "
            f"{done.reencrypted} of {counted(done.passwords, 'password')}. "
            f"Deleted {counted(len(done.deleted), 'key')}."
        )
        if done.kept:
            self.say(
                "Old keys are kept until a later rotation: the previous one "
                "was only minutes ago, and passwords encrypted with them may "
                "not have reached the database yet."
            )
        self.say(
            f"Copy {self.folder} to every machine that runs the API and to "
            "every console host."
        )
