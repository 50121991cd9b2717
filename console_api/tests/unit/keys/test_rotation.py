# SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import Sequence
from unittest import mock

from cryptography import fernet

from console_api import errors
from console_api.db import consoles, passwords, tables
from console_api.keys import repository as keys
from console_api.keys import rotation
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id


class RotationCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.keys = self.folder / "keys"
        keys.setup(self.keys)
        self.repository = keys.KeyRepository(self.keys)
        self.host = self.add_console_host()
        # A few consoles are several pages.
        self.enterContext(mock.patch.object(rotation, "_PAGE", 2))
        self.progress: list[tuple[int, int]] = []

    def add_console(self, number: int, encrypted: str | None = None) -> None:
        self.add_server(server_id(number))
        consoles.insert(
            self.database,
            self.host,
            base.new_console(
                server_id(number),
                encrypted_password=encrypted
                or self.repository.encrypt(f"password-{number}"),
            ),
        )

    def add_consoles(self, count: int = 5) -> None:
        for number in range(1, count + 1):
            self.add_console(number)

    def rotate(self, max_active_keys: int = 3) -> rotation.Rotation:
        return rotation.rotate(
            self.database,
            self.keys,
            max_active_keys,
            lambda done, total: self.progress.append((done, total)),
        )

    def age_keys(self) -> None:
        """Make the last rotation one of long ago."""
        for number in keys.numbers(self.keys):
            os.utime(self.keys / str(number), (1, 1))

    def stored(self) -> Sequence[str]:
        return [row.encrypted_password for row in self.rows(tables.consoles)]

    def assertAllReadable(self, count: int = 5) -> None:
        self.assertEqual(
            [f"password-{number}" for number in range(1, count + 1)],
            [self.repository.decrypt(text) for text in self.stored()],
        )

    def assertAllInPrimary(self) -> None:
        primary = keys.read_keys(self.keys)[0]
        for text in self.stored():
            primary.decrypt(text.encode())


class RotateTest(RotationCase):
    def test_all_passwords_are_reencrypted(self) -> None:
        self.add_consoles()
        staged = (self.keys / "0").read_bytes()
        done = self.rotate()
        self.assertEqual((2, 5, 5), self.numbers(done))
        self.assertEqual(staged, (self.keys / "2").read_bytes())
        self.assertAllInPrimary()
        self.assertAllReadable()

    def numbers(self, done: rotation.Rotation) -> tuple[int, int, int]:
        return done.primary, done.passwords, done.reencrypted

    def test_progress_is_reported_for_each_page(self) -> None:
        self.add_consoles()
        self.rotate()
        self.assertEqual([(2, 5), (4, 5), (5, 5)], self.progress)

    def test_password_in_primary_key_is_kept(self) -> None:
        self.add_consoles(3)
        self.rotate()
        before = self.stored()
        with mock.patch.object(keys, "promote", return_value=2):
            done = self.rotate()
        self.assertEqual((2, 3, 0), self.numbers(done))
        self.assertEqual(before, self.stored())

    def test_keys_are_rotated_without_consoles(self) -> None:
        self.assertEqual((2, 0, 0), self.numbers(self.rotate()))
        self.assertEqual([0, 1, 2], keys.numbers(self.keys))

    def test_old_keys_beyond_limit_are_deleted(self) -> None:
        self.add_consoles()
        self.rotate()
        self.age_keys()
        done = self.rotate()
        self.assertEqual([1], done.deleted)
        self.assertFalse(done.kept)
        self.assertEqual([0, 2, 3], keys.numbers(self.keys))
        self.assertAllReadable()

    def test_old_keys_are_kept_after_recent_rotation(
        self,
    ) -> None:
        self.rotate()
        # A worker that has encrypted but not stored yet.
        late = fernet.Fernet((self.keys / "1").read_bytes())
        done = self.rotate()
        self.assertEqual((), done.deleted)
        self.assertTrue(done.kept)
        self.add_console(1, late.encrypt(b"password-1").decode())
        self.assertAllReadable(1)

    def test_kept_is_reported_for_deletable_keys_only(self) -> None:
        self.assertFalse(self.rotate().kept)


class InterruptedTest(RotationCase):
    def test_interruption_between_pages_loses_nothing(
        self,
    ) -> None:
        self.add_consoles()
        replace = passwords.replace
        for pages in (0, 1, 2):
            with self.subTest(pages=pages):
                steps = [replace] * pages + [self.killed]
                with (
                    mock.patch.object(
                        passwords,
                        "replace",
                        side_effect=lambda *args, s=steps: s.pop(0)(*args),
                    ),
                    self.assertRaises(KeyboardInterrupt),
                ):
                    self.rotate()
                self.assertAllReadable()
                self.age_keys()
        self.rotate()
        self.assertAllInPrimary()
        self.assertAllReadable()

    def killed(self, *args: object) -> None:
        raise KeyboardInterrupt

    def test_interruption_before_staging_loses_nothing(self) -> None:
        self.add_consoles()
        with (
            mock.patch.object(keys, "_write_key", self.killed),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.rotate()
        self.assertEqual([1, 2], keys.numbers(self.keys))
        self.assertAllReadable()
        self.rotate()
        self.assertEqual([0, 1, 2], keys.numbers(self.keys))
        self.assertAllInPrimary()
        self.assertAllReadable()

    def test_interruption_releases_lock(self) -> None:
        with (
            mock.patch.object(keys, "promote", self.killed),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.rotate()
        self.rotate()

    def test_unavailable_database_keeps_all_keys(self) -> None:
        self.add_consoles()
        self.rotate()
        self.age_keys()
        with (
            mock.patch.object(
                passwords, "replace", side_effect=errors.DatabaseUnavailable
            ),
            self.assertRaises(errors.DatabaseUnavailable),
        ):
            self.rotate()
        self.assertEqual([0, 1, 2, 3], keys.numbers(self.keys))
        self.assertAllReadable()


class RefusedTest(RotationCase):
    def test_undecryptable_passwords_are_named(
        self,
    ) -> None:
        self.add_consoles(3)
        lost = fernet.Fernet(fernet.Fernet.generate_key())
        self.add_console(4, lost.encrypt(b"secret").decode())
        self.add_console(5, "no token at all")
        self.rotate_with_old_keys()
        ids = [row.id for row in self.rows(tables.consoles)]
        with self.assertRaises(errors.ConfigurationError) as caught:
            self.rotate()
        self.assertIn(f": {ids[3]}, {ids[4]}. No key", str(caught.exception))
        self.assertEqual([0, 1, 2, 3, 4], keys.numbers(self.keys))
        primary = keys.read_keys(self.keys)[0]
        for text in self.stored()[:3]:
            primary.decrypt(text.encode())

    def rotate_with_old_keys(self) -> None:
        for _ in range(2):
            keys.promote(self.keys)
        self.age_keys()

    def test_number_of_named_consoles_is_limited(self) -> None:
        for number in range(1, 6):
            self.add_console(number, "no token at all")
        with (
            mock.patch.object(rotation, "_NAMED", 2),
            self.assertRaisesRegex(
                errors.ConfigurationError, r": \d+, \d+ and 3 more\. No key"
            ),
        ):
            self.rotate()

    def test_invalid_key_stops_rotation_at_start(self) -> None:
        self.add_consoles(1)
        before = self.stored()
        (self.keys / "0").write_text("half a k")
        with self.assertRaisesRegex(errors.ConfigurationError, "/keys/0 can"):
            self.rotate()
        self.assertEqual([0, 1], keys.numbers(self.keys))
        self.assertEqual(before, self.stored())

    def test_keys_that_others_can_access_stop_rotation_at_start(self) -> None:
        self.keys.chmod(0o777)
        with self.assertRaisesRegex(errors.ConfigurationError, "Run: chmod"):
            self.rotate()
        self.assertEqual([0, 1], keys.numbers(self.keys))
        self.keys.chmod(0o700)
        self.assertEqual(2, self.rotate().primary)

    def test_concurrent_rotation_is_refused(self) -> None:
        with (
            keys.locked(self.keys),
            self.assertRaisesRegex(errors.Conflict, "being rotated"),
        ):
            self.rotate()
        self.assertEqual([0, 1], keys.numbers(self.keys))

    def test_missing_keys_name_the_command(self) -> None:
        for path in self.keys.iterdir():
            path.unlink()
        with self.assertRaisesRegex(errors.ConfigurationError, "keys setup"):
            self.rotate()
