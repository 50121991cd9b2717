# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage keys``: the keys that encrypt console passwords."""

import argparse
from pathlib import Path

from console_api.cmd.manage.base import ManageCommand
from console_api.keys import repository, rotation

_WHO = (
    "Each process of the API reads the keys: the folder must be readable by "
    "the user that the service runs as, and by nobody else. Run the command "
    "as that user, or give the folder to it with chown before the service "
    "starts; root adds keys on behalf of the folder's owner."
)


class _KeysCommand(ManageCommand):
    _epilog: str | None = _WHO  # type: ignore[assignment]

    @property
    def folder(self) -> Path:
        """The key repository of the configuration."""
        return Path(self.app.conf.passwords.key_repository)


class Setup(_KeysCommand):
    """Make the key repository, if there is none.

    The folder is [passwords] key_repository. Copy it to each machine that
    runs the API.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Make the keys and say where they are."""
        if repository.setup(self.folder):
            self.say(f"Made the keys in {self.folder}.")
        else:
            self.say(f"{self.folder} has keys already; nothing was changed.")


class Rotate(_KeysCommand):
    """Encrypt all console passwords with a new key, and delete old keys.

    The staged key becomes the primary one, all passwords are encrypted with
    it, and the oldest keys beyond [passwords] max_active_keys are deleted,
    unless the last rotation was only minutes ago. An interrupted rotation
    loses nothing; run the command again. Afterwards, copy the folder to each
    machine that runs the API, before the next rotation.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Rotate the keys and say what was done, in numbers."""
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
            f"{done.reencrypted} of {done.passwords} passwords. Deleted "
            f"{len(done.deleted)} keys."
        )
        if done.kept:
            self.say(
                "Old keys stay until a later rotation: the last one was only "
                "minutes ago, so that passwords in them may still be on "
                "their way into the database."
            )
        self.say(f"Copy {self.folder} to each machine that runs the API.")
