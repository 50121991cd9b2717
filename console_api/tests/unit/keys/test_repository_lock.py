# SPDX-License-Identifier: Apache-2.0
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from console_api import errors
from console_api.keys import repository
from console_api.tests.unit.keys.base import KeysCase


class LockedTest(KeysCase):
    def setUp(self) -> None:
        super().setUp()
        repository.setup(self.keys)

    def test_second_lock_conflicts(self) -> None:
        with (
            repository.locked(self.keys),
            self.assertRaisesRegex(errors.Conflict, "Wait"),
            repository.locked(self.keys),
        ):
            self.fail("both have the lock")

    def test_lock_is_released_after_error(self) -> None:
        with (
            self.assertRaises(ZeroDivisionError),
            repository.locked(self.keys),
        ):
            raise ZeroDivisionError
        with repository.locked(self.keys, wait=True):
            pass

    def test_missing_folder_cannot_be_locked(self) -> None:
        with (
            self.assertRaisesRegex(errors.ConfigurationError, "keys setup"),
            repository.locked(self.folder / "absent"),
        ):
            self.fail("there is nothing to lock")


class RootTest(KeysCase):
    """Root changes a folder in which the service's user may put links."""

    def setUp(self) -> None:
        super().setUp()
        self.keys.mkdir()
        self.target = self.folder / "target"
        self.target.write_text("of root")
        self.lock = self.keys / ".lock"
        self.enterContext(mock.patch.object(os, "geteuid", return_value=0))
        self.chown = self.enterContext(mock.patch.object(os, "fchown"))

    def assertNoOwnerChanged(self) -> None:
        self.assertEqual("of root", self.target.read_text())
        self.chown.assert_not_called()

    def test_new_files_are_given_to_owner_of_folder(self) -> None:
        repository.setup(self.keys)
        owner = self.keys.stat()
        given = mock.call(mock.ANY, owner.st_uid, owner.st_gid)
        # The two keys and the lock.
        self.assertEqual([given] * 3, self.chown.mock_calls)

    def test_lock_that_is_not_a_regular_file_is_refused(self) -> None:
        makers: dict[str, Callable[[Path], object]] = {
            "link": lambda path: path.symlink_to(self.target),
            "dangling link": lambda path: path.symlink_to("absent"),
            "folder": Path.mkdir,
            "pipe": os.mkfifo,
            "socket": lambda path: self.listener.bind(str(path)),
        }
        self.listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.listener.close)
        for kind, make in makers.items():
            make(self.lock)
            with (
                self.subTest(kind),
                self.assertRaisesRegex(
                    errors.ConfigurationError, f"{self.lock}.*delete it"
                ),
                repository.locked(self.keys),
            ):
                self.fail("the lock was accepted")
            self.assertNoOwnerChanged()
            self.lock.rename(self.folder / kind)
        self.assertFalse((self.keys / "absent").exists())

    def test_existing_lock_is_used_and_not_changed(self) -> None:
        # A hard link has the same effect as the file itself.
        self.lock.hardlink_to(self.target)
        with repository.locked(self.keys):
            self.assertNoOwnerChanged()

    def test_folder_that_is_a_link_is_refused(self) -> None:
        link = self.folder / "link"
        link.symlink_to(self.keys)
        for change in (
            repository.setup,
            repository.promote,
            lambda folder: repository.prune(folder, 1),
        ):
            with (
                self.subTest(change),
                self.assertRaisesRegex(
                    errors.ConfigurationError, f"{link} is a symbolic link"
                ),
            ):
                change(link)
        self.assertEqual([], list(self.keys.iterdir()))
        with mock.patch.object(os, "geteuid", return_value=1000):
            repository.setup(link)
        self.assertEqual([0, 1], repository.numbers(self.keys))

    def test_folder_replaced_by_link_is_not_followed(self) -> None:
        repository.setup(self.keys)
        renamed = self.folder / "renamed"
        of_root = self.folder / "of-root"
        of_root.mkdir()
        rename = os.rename

        def replace(*arguments: Any, **more: Any) -> None:
            """Replace the folder at the first change of a file."""
            if not renamed.exists():
                rename(self.keys, renamed)
                self.keys.symlink_to(of_root)
            rename(*arguments, **more)

        with mock.patch.object(os, "rename", replace):
            repository.promote(self.keys)
        self.assertEqual([], list(of_root.iterdir()))
        self.assertEqual([0, 1, 2], repository.numbers(renamed))

    def test_draft_replaces_link(self) -> None:
        given: list[int] = []
        self.chown.side_effect = lambda descriptor, *_: given.append(
            os.fstat(descriptor).st_ino
        )
        for number in (0, 1):
            draft = self.keys / f".{number}.{os.getpid()}"
            draft.symlink_to(self.target)
        repository.setup(self.keys)
        self.assertEqual("of root", self.target.read_text())
        self.assertNotIn(self.target.stat().st_ino, given)
        self.assertEqual([0, 1], repository.numbers(self.keys))
        self.assertFalse((self.keys / "0").is_symlink())

    def test_link_put_in_place_of_removed_draft_is_not_followed(self) -> None:
        draft = self.keys / f".0.{os.getpid()}"
        draft.symlink_to(self.target)
        with (
            mock.patch.object(os, "unlink"),
            self.assertRaises(FileExistsError),
        ):
            repository.setup(self.keys)
        self.assertEqual("of root", self.target.read_text())
