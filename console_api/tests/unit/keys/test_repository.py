# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path
from unittest import mock

from cryptography import fernet

from console_api import errors
from console_api.keys import repository as keys
from console_api.tests.unit.keys.test_repository_rotated import KeysCase


class KeyRepositoryTest(KeysCase):
    def setUp(self) -> None:
        super().setUp()
        keys.setup(self.keys)
        self.repository = keys.KeyRepository(self.keys)

    def changed(self) -> None:
        """Let the folder's time differ, however coarse its clock is."""
        before = self.keys.stat().st_mtime_ns
        os.utime(self.keys, ns=(before + 1, before + 1))

    def key(self, number: int) -> fernet.Fernet:
        return keys.read_key(self.keys / str(number))

    def test_what_it_encrypts_it_decrypts(self) -> None:
        encrypted = self.repository.encrypt("Secret12")
        self.assertNotIn("Secret12", encrypted)
        self.assertEqual("Secret12", self.repository.decrypt(encrypted))

    def test_it_encrypts_with_the_primary_key(self) -> None:
        encrypted = self.repository.encrypt("secret")
        self.assertEqual(b"secret", self.key(1).decrypt(encrypted.encode()))

    def test_the_highest_number_is_primary_not_the_last_text(self) -> None:
        self.put(9, 10)
        repository = keys.KeyRepository(self.keys)
        encrypted = repository.encrypt("secret")
        self.assertEqual(b"secret", self.key(10).decrypt(encrypted.encode()))

    def test_it_decrypts_with_the_staged_and_with_older_keys(self) -> None:
        for number in (0, 1):
            with self.subTest(number):
                encrypted = self.key(number).encrypt(b"secret").decode()
                self.assertEqual("secret", self.repository.decrypt(encrypted))

    def test_it_notices_a_rotation(self) -> None:
        keys.promote(self.keys)
        self.changed()
        encrypted = self.repository.encrypt("secret")
        self.assertEqual(b"secret", self.key(2).decrypt(encrypted.encode()))

    def test_it_reads_the_keys_again_only_after_a_change(self) -> None:
        with mock.patch.object(
            keys, "read_key", side_effect=keys.read_key
        ) as read:
            self.repository.encrypt("secret")
            read.assert_not_called()
            self.changed()
            self.repository.encrypt("secret")
            self.assertEqual(2, read.call_count)
            self.repository.encrypt("secret")
            self.assertEqual(2, read.call_count)

    def test_a_password_of_another_key_says_where_to_look(self) -> None:
        foreign = fernet.Fernet(fernet.Fernet.generate_key())
        for encrypted in (foreign.encrypt(b"secret").decode(), "garbage"):
            with (
                self.subTest(encrypted[:7]),
                self.assertRaisesRegex(
                    errors.ConfigurationError, str(self.keys)
                ),
            ):
                self.repository.decrypt(encrypted)

    def test_a_folder_that_goes_away_says_so(self) -> None:
        self.keys.rename(self.folder / "elsewhere")
        with self.assertRaisesRegex(errors.ConfigurationError, "keys setup"):
            self.repository.encrypt("secret")

    def test_a_rotation_while_it_reads_does_not_disturb_it(self) -> None:
        read = keys.read_key

        def rotate_then_read(path: Path) -> fernet.Fernet:
            with mock.patch.object(keys, "read_key", read):
                keys.promote(self.keys)
                keys.prune(self.keys, 2)
            reading.side_effect = read
            return read(path)

        with mock.patch.object(
            keys, "read_key", side_effect=rotate_then_read
        ) as reading:
            repository = keys.KeyRepository(self.keys)
        encrypted = repository.encrypt("secret")
        self.assertEqual(b"secret", self.key(2).decrypt(encrypted.encode()))


class UnusableRepositoryTest(KeysCase):
    def test_what_is_not_there_says_what_to_run(self) -> None:
        empty = self.folder / "empty"
        empty.mkdir()
        file = self.folder / "file"
        file.touch()
        for folder in (self.keys, empty, file):
            with (
                self.subTest(folder.name),
                self.assertRaisesRegex(
                    errors.ConfigurationError,
                    f"{folder.name}.*console-api-manage keys setup",
                ),
            ):
                keys.KeyRepository(folder)

    def test_a_file_that_is_no_key_is_named_and_not_shown(self) -> None:
        keys.setup(self.keys)
        for content in (b"", b"not-a-key", b"\xff" * 44):
            with self.subTest(content):
                (self.keys / "1").write_bytes(content)
                with self.assertRaises(errors.ConfigurationError) as caught:
                    keys.KeyRepository(self.keys)
                message = str(caught.exception)
                self.assertIn(str(self.keys / "1"), message)
                self.assertNotIn("not-a-key", message)

    def test_files_of_other_names_are_left_alone(self) -> None:
        keys.setup(self.keys)
        for name in ("README", ".0.123", "-1", "1.bak"):
            (self.keys / name).write_text("no key")
        self.assertEqual([0, 1], keys.numbers(self.keys))
        keys.KeyRepository(self.keys)
