# SPDX-License-Identifier: Apache-2.0
import os
import stat
from pathlib import Path
from unittest import mock

from console_api import errors
from console_api.keys import files, repository
from console_api.tests.unit.keys.base import KeysCase


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class SetupTest(KeysCase):
    def test_staged_and_primary_key_are_created(self) -> None:
        self.assertTrue(repository.setup(self.keys))
        self.assertEqual(["0", "1"], self.names())
        self.assertNotEqual(
            (self.keys / "0").read_bytes(), (self.keys / "1").read_bytes()
        )
        for number in (0, 1):
            repository.read_key(self.keys / str(number))

    def test_only_owner_can_read_keys(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        repository.setup(self.keys)
        self.assertEqual(0o700, mode(self.keys))
        for path in self.keys.iterdir():
            with self.subTest(path.name):
                self.assertEqual(0o600, mode(path))

    def test_parent_folders_are_created(self) -> None:
        self.assertTrue(repository.setup(self.keys / "a" / "b"))

    def test_existing_keys_are_kept(self) -> None:
        for numbers in ((0, 1), (0,), (4,)):
            with self.subTest(numbers):
                self.put(*numbers)
                before = self.content()
                self.assertFalse(repository.setup(self.keys))
                self.assertEqual(before, self.content())
                self.clear()

    def test_concurrent_setup_creates_keys_once(self) -> None:
        with mock.patch.object(files, "list_names", return_value=["0", "1"]):
            self.assertFalse(repository.setup(self.keys))

    def test_keys_can_be_used_after_first_was_created(self) -> None:
        self.put(repository.STAGED)
        encrypted = repository.KeyRepository(self.keys).encrypt("secret")
        self.assertEqual(1, repository.promote(self.keys))
        self.assertEqual(["0", "1"], self.names())
        self.assertEqual(
            "secret", repository.KeyRepository(self.keys).decrypt(encrypted)
        )

    def test_interrupted_setup_leaves_no_partial_key(
        self,
    ) -> None:
        with (
            mock.patch.object(os, "rename", side_effect=OSError("full")),
            self.assertRaises(OSError),
        ):
            repository.setup(self.keys)
        self.assertEqual([], self.names())
        self.assertTrue(repository.setup(self.keys))


class PromoteTest(KeysCase):
    def test_staged_key_becomes_primary(
        self,
    ) -> None:
        repository.setup(self.keys)
        before = self.content()
        self.assertEqual(2, repository.promote(self.keys))
        after = self.content()
        self.assertEqual({"0", "1", "2"}, set(after))
        self.assertEqual(before["1"], after["1"])
        self.assertEqual(before["0"], after["2"])
        self.assertNotIn(after["0"], before.values())
        self.assertEqual(0o600, mode(self.keys / "0"))

    def test_next_call_completes_interrupted_one(self) -> None:
        repository.setup(self.keys)
        with (
            mock.patch.object(
                repository, "_write_key", side_effect=OSError("full")
            ),
            self.assertRaises(OSError),
        ):
            repository.promote(self.keys)
        self.assertEqual(["1", "2"], self.names())
        between = self.content()
        self.assertEqual(2, repository.promote(self.keys))
        after = self.content()
        self.assertEqual({"0", "1", "2"}, set(after))
        self.assertEqual(between, {n: after[n] for n in between})

    def test_older_passwords_can_be_decrypted(self) -> None:
        repository.setup(self.keys)
        encrypted = repository.KeyRepository(self.keys).encrypt("secret")
        for _ in range(3):
            repository.promote(self.keys)
            self.assertEqual(
                "secret",
                repository.KeyRepository(self.keys).decrypt(encrypted),
            )

    def test_drafts_of_killed_process_are_deleted(self) -> None:
        repository.setup(self.keys)
        draft = self.keys / ".0.4711"
        draft.write_bytes(b"half a k")
        repository.promote(self.keys)
        self.assertFalse(draft.exists())

    def test_error_names_path_of_file(self) -> None:
        repository.setup(self.keys)
        draft = self.keys / ".0.4711"
        draft.mkdir()
        with self.assertRaises(OSError) as caught:
            repository.promote(self.keys)
        self.assertEqual(str(draft), caught.exception.filename)

    def test_missing_keys_are_reported_with_command(self) -> None:
        self.keys.mkdir()
        with self.assertRaisesRegex(errors.ConfigurationError, "keys setup"):
            repository.promote(self.keys)


class PruneTest(KeysCase):
    def test_oldest_secondary_keys_are_deleted(
        self,
    ) -> None:
        for numbers, keep, deleted in (
            ((0, 1), 3, []),
            ((0, 1, 2), 3, []),
            ((0, 1, 2, 3), 3, [1]),
            ((0, 7, 8, 9, 10), 3, [7, 8]),
            ((0, 9, 10), 2, [9]),
            ((0, 1, 2), 0, [1]),
            ((0, 1), 0, []),
            ((0,), 0, []),
            ((5,), 0, []),
            # An interrupted rotation staged no key.
            ((1, 2, 3), 3, []),
            ((1, 2, 3, 4), 3, [1]),
        ):
            with self.subTest(numbers, keep=keep):
                self.put(*numbers)
                self.assertEqual(deleted, repository.prune(self.keys, keep))
                self.assertEqual(
                    sorted(str(n) for n in numbers if n not in deleted),
                    self.names(),
                )
                self.clear()
