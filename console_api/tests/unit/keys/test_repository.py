# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path
from unittest import mock

from cryptography import fernet

from console_api import errors
from console_api.keys import files, repository
from console_api.tests.unit.keys.base import KeysCase


class KeyRepositoryTest(KeysCase):
    def setUp(self) -> None:
        super().setUp()
        repository.setup(self.keys)
        self.key_repository = repository.KeyRepository(self.keys)

    def touch(self) -> None:
        """Change the folder's time stamp, whose clock may be coarse."""
        before = self.keys.stat().st_mtime_ns
        os.utime(self.keys, ns=(before + 1, before + 1))

    def key(self, number: int) -> fernet.Fernet:
        return repository.read_key(self.keys / str(number))

    def test_encrypted_password_can_be_decrypted(self) -> None:
        encrypted = self.key_repository.encrypt("Secret12")
        self.assertNotIn("Secret12", encrypted)
        self.assertEqual("Secret12", self.key_repository.decrypt(encrypted))

    def test_primary_key_encrypts(self) -> None:
        encrypted = self.key_repository.encrypt("secret")
        self.assertEqual(b"secret", self.key(1).decrypt(encrypted.encode()))

    def test_primary_key_is_highest_number_not_last_name(self) -> None:
        self.put(9, 10)
        key_repository = repository.KeyRepository(self.keys)
        encrypted = key_repository.encrypt("secret")
        self.assertEqual(b"secret", self.key(10).decrypt(encrypted.encode()))

    def test_all_keys_decrypt(self) -> None:
        for number in (0, 1):
            with self.subTest(number):
                encrypted = self.key(number).encrypt(b"secret").decode()
                self.assertEqual(
                    "secret", self.key_repository.decrypt(encrypted)
                )

    def test_rotation_is_detected(self) -> None:
        repository.promote(self.keys)
        self.touch()
        encrypted = self.key_repository.encrypt("secret")
        self.assertEqual(b"secret", self.key(2).decrypt(encrypted.encode()))

    def test_unreadable_keys_name_user_and_command(self) -> None:
        denied = PermissionError(13, "Permission denied")
        for what, name in (
            (mock.patch.object(Path, "iterdir", side_effect=denied), ""),
            (mock.patch.object(files, "read", side_effect=denied), "/1"),
        ):
            with (
                self.subTest(name),
                what,
                self.assertRaisesRegex(
                    errors.ConfigurationError,
                    f"The user .+ cannot read {self.keys}{name}. .*"
                    f"run as root: chown -R .+: {self.keys}$",
                ),
            ):
                repository.KeyRepository(self.keys)

    def test_keys_are_read_again_only_after_change(self) -> None:
        with mock.patch.object(
            repository, "read_key", side_effect=repository.read_key
        ) as read:
            self.key_repository.encrypt("secret")
            read.assert_not_called()
            self.touch()
            self.key_repository.encrypt("secret")
            self.assertEqual(2, read.call_count)
            self.key_repository.encrypt("secret")
            self.assertEqual(2, read.call_count)

    def test_password_of_unknown_key_is_refused(self) -> None:
        foreign = fernet.Fernet(fernet.Fernet.generate_key())
        for encrypted in (foreign.encrypt(b"secret").decode(), "garbage"):
            with (
                self.subTest(encrypted[:7]),
                self.assertRaisesRegex(
                    errors.ConfigurationError, str(self.keys)
                ),
            ):
                self.key_repository.decrypt(encrypted)

    def test_removed_folder_is_reported(self) -> None:
        self.keys.rename(self.folder / "renamed")
        with self.assertRaisesRegex(errors.ConfigurationError, "keys setup"):
            self.key_repository.encrypt("secret")

    def test_keys_can_be_read_during_rotation(self) -> None:
        read = repository.read_key

        def rotate_then_read(path: Path) -> fernet.Fernet:
            with mock.patch.object(repository, "read_key", read):
                repository.promote(self.keys)
                repository.prune(self.keys, 2)
            reading.side_effect = read
            return read(path)

        with mock.patch.object(
            repository, "read_key", side_effect=rotate_then_read
        ) as reading:
            key_repository = repository.KeyRepository(self.keys)
        encrypted = key_repository.encrypt("secret")
        self.assertEqual(b"secret", self.key(2).decrypt(encrypted.encode()))


class ModeTest(KeysCase):
    def setUp(self) -> None:
        super().setUp()
        repository.setup(self.keys)

    def test_keys_that_others_can_access_are_logged(self) -> None:
        for folder, key, exposed in (
            (0o700, 0o600, []),
            (0o700, 0o400, []),
            # Root owns the keys, and the group of the service reads them.
            (0o750, 0o640, []),
            (0o777, 0o644, ["keys has mode 0777", "1 has mode 0644"]),
            (0o755, 0o600, ["keys has mode 0755"]),
            (0o770, 0o600, ["keys has mode 0770"]),
            (0o700, 0o604, ["1 has mode 0604"]),
            (0o700, 0o660, ["1 has mode 0660"]),
        ):
            self.keys.chmod(folder)
            (self.keys / "1").chmod(key)
            with self.subTest(folder=oct(folder), key=oct(key)):
                self.assert_logged(exposed)

    def assert_logged(self, exposed: list[str]) -> None:
        if not exposed:
            with self.assertNoLogs(repository.LOG):
                repository.KeyRepository(self.keys)
            return
        with self.assertLogs(repository.LOG, "WARNING") as logs:
            repository.KeyRepository(self.keys)
        [line] = logs.output
        for text in (*exposed, f"chmod -R g-w,o= {self.keys}"):
            self.assertIn(text, line)
        self.assertEqual(len(exposed), line.count(" has mode "))


class InvalidRepositoryTest(KeysCase):
    def test_missing_keys_are_reported_with_command(self) -> None:
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
                repository.KeyRepository(folder)

    def test_invalid_key_is_named_but_not_shown(self) -> None:
        repository.setup(self.keys)
        for content in (b"", b"not-a-key", b"\xff" * 44):
            with self.subTest(content):
                (self.keys / "1").write_bytes(content)
                with self.assertRaises(errors.ConfigurationError) as caught:
                    repository.KeyRepository(self.keys)
                message = str(caught.exception)
                self.assertIn(str(self.keys / "1"), message)
                self.assertNotIn("not-a-key", message)

    def test_key_that_is_no_regular_file_is_not_read(self) -> None:
        repository.setup(self.keys)
        path = self.keys / "1"
        path.unlink()
        for make in (
            os.mkfifo,
            Path.mkdir,
            # Endless.
            lambda path: path.symlink_to("/dev/zero"),
        ):
            make(path)
            with (
                self.subTest(make),
                self.assertRaisesRegex(errors.ConfigurationError, str(path)),
            ):
                repository.KeyRepository(self.keys)
            path.rename(self.folder / str(make))

    def test_keys_may_be_links(self) -> None:
        # As in a volume of a Kubernetes secret.
        repository.setup(self.keys)
        data = self.folder / "data"
        self.keys.rename(data)
        self.keys.mkdir(0o700)
        for number in ("0", "1"):
            (self.keys / number).symlink_to(data / number)
        with self.assertNoLogs(repository.LOG):
            repository.KeyRepository(self.keys)

    def test_other_files_are_ignored(self) -> None:
        repository.setup(self.keys)
        for name in ("README", ".0.123", "-1", "1.bak"):
            (self.keys / name).write_text("no key")
        self.assertEqual([0, 1], repository.numbers(self.keys))
        repository.KeyRepository(self.keys)
