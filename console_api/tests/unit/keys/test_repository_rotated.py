# SPDX-License-Identifier: Apache-2.0
import os
import stat
from pathlib import Path
from unittest import mock

from cryptography import fernet

from console_api import errors
from console_api.keys import repository as keys
from console_api.tests.unit import base


class KeysCase(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.keys = self.folder / "keys"

    def mode(self, path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    def put(self, *numbers: int) -> None:
        """Make a repository of exactly these keys."""
        self.keys.mkdir(exist_ok=True)
        for number in numbers:
            key = fernet.Fernet.generate_key()
            (self.keys / str(number)).write_bytes(key)

    def visible(self) -> list[str]:
        return sorted(
            path.name
            for path in self.keys.iterdir()
            if not path.name.startswith(".")
        )


class SetupTest(KeysCase):
    def test_a_staged_and_a_primary_key_are_made(self) -> None:
        self.assertTrue(keys.setup(self.keys))
        self.assertEqual(["0", "1"], self.visible())
        self.assertNotEqual(
            (self.keys / "0").read_bytes(), (self.keys / "1").read_bytes()
        )
        for number in (0, 1):
            keys.read_key(self.keys / str(number))

    def test_nobody_else_can_read_them(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        keys.setup(self.keys)
        self.assertEqual(0o700, self.mode(self.keys))
        for path in self.keys.iterdir():
            with self.subTest(path.name):
                self.assertEqual(0o600, self.mode(path))

    def test_folders_above_are_made(self) -> None:
        self.assertTrue(keys.setup(self.keys / "a" / "b"))

    def test_keys_that_are_there_are_kept(self) -> None:
        for numbers in ((0, 1), (0,), (4,)):
            with self.subTest(numbers):
                self.put(*numbers)
                before = [p.read_bytes() for p in sorted(self.keys.iterdir())]
                self.assertFalse(keys.setup(self.keys))
                self.assertEqual(
                    before,
                    [
                        p.read_bytes()
                        for p in sorted(self.keys.iterdir())
                        if p.name.isdigit()
                    ],
                )
                for number in numbers:
                    (self.keys / str(number)).unlink()

    def test_setup_does_nothing_when_another_one_was_first(self) -> None:
        with mock.patch.object(keys, "numbers", side_effect=[[], [0, 1]]):
            self.assertFalse(keys.setup(self.keys))

    def test_interrupted_after_the_first_key_it_can_be_used(self) -> None:
        self.put(keys.STAGED)
        encrypted = keys.KeyRepository(self.keys).encrypt("secret")
        self.assertEqual(1, keys.promote(self.keys))
        self.assertEqual(["0", "1"], self.visible())
        self.assertEqual(
            "secret", keys.KeyRepository(self.keys).decrypt(encrypted)
        )

    def test_interrupted_while_a_key_is_written_no_half_key_is_there(
        self,
    ) -> None:
        with (
            mock.patch.object(Path, "rename", side_effect=OSError("full")),
            self.assertRaises(OSError),
        ):
            keys.setup(self.keys)
        self.assertEqual([], self.visible())
        self.assertTrue(keys.setup(self.keys))


class PromoteTest(KeysCase):
    def content(self) -> dict[str, bytes]:
        return {
            name: (self.keys / name).read_bytes() for name in self.visible()
        }

    def test_the_staged_key_becomes_primary_and_a_new_one_is_staged(
        self,
    ) -> None:
        keys.setup(self.keys)
        before = self.content()
        self.assertEqual(2, keys.promote(self.keys))
        after = self.content()
        self.assertEqual({"0", "1", "2"}, set(after))
        self.assertEqual(before["1"], after["1"])
        self.assertEqual(before["0"], after["2"])
        self.assertNotIn(after["0"], before.values())
        self.assertEqual(0o600, self.mode(self.keys / "0"))

    def test_interrupted_it_is_finished_by_the_next_call(self) -> None:
        keys.setup(self.keys)
        with (
            mock.patch.object(keys, "_write_key", side_effect=OSError("full")),
            self.assertRaises(OSError),
        ):
            keys.promote(self.keys)
        self.assertEqual(["1", "2"], self.visible())
        between = self.content()
        self.assertEqual(2, keys.promote(self.keys))
        after = self.content()
        self.assertEqual({"0", "1", "2"}, set(after))
        self.assertEqual(between, {n: after[n] for n in between})

    def test_what_was_encrypted_before_can_be_read_all_along(self) -> None:
        keys.setup(self.keys)
        encrypted = keys.KeyRepository(self.keys).encrypt("secret")
        for _ in range(3):
            keys.promote(self.keys)
            self.assertEqual(
                "secret", keys.KeyRepository(self.keys).decrypt(encrypted)
            )

    def test_drafts_of_a_process_that_was_killed_are_removed(self) -> None:
        keys.setup(self.keys)
        draft = self.keys / ".0.4711"
        draft.write_bytes(b"half a k")
        keys.promote(self.keys)
        self.assertFalse(draft.exists())

    def test_without_keys_it_says_what_to_run(self) -> None:
        self.keys.mkdir()
        with self.assertRaisesRegex(errors.ConfigurationError, "keys setup"):
            keys.promote(self.keys)


class PruneTest(KeysCase):
    def test_the_oldest_go_but_never_the_staged_or_the_primary_one(
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
            # The staged one is missing after an interruption.
            ((1, 2, 3), 3, []),
            ((1, 2, 3, 4), 3, [1]),
        ):
            with self.subTest(numbers, keep=keep):
                self.put(*numbers)
                self.assertEqual(deleted, keys.prune(self.keys, keep))
                self.assertEqual(
                    sorted(str(n) for n in numbers if n not in deleted),
                    self.visible(),
                )
                for name in self.visible():
                    (self.keys / name).unlink()
