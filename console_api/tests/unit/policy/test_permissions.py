# SPDX-License-Identifier: Apache-2.0
import os
import stat
import unittest
from pathlib import Path
from unittest import mock

from console_api.policy import permissions
from console_api.policy.findings import Finding, Level
from console_api.tests.unit import base

_OWNER = 1000
_GROUP = 2000
_OTHER_GROUP = 3000


def status(
    mode: int, *, owner: int = _OWNER, group: int = _GROUP
) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, owner, group, 0, 0, 0, 0))


class PermissionsTest(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "policy.yaml"
        self.enterContext(
            mock.patch.object(
                permissions, "_primary_group", return_value=_GROUP
            )
        )

    def examine(
        self,
        file: os.stat_result,
        folder: os.stat_result | None = None,
    ) -> list[Finding]:
        """Return the findings about a file in a folder."""
        with mock.patch.object(
            Path, "stat", return_value=folder or status(stat.S_IFDIR | 0o755)
        ):
            return list(
                permissions.examine(self.path, file, main=status(0o640))
            )

    def test_private_and_readable_files_are_sound(self) -> None:
        for mode in (0o600, 0o640, 0o644, 0o664):
            with self.subTest(oct(mode)):
                self.assertEqual([], self.examine(status(mode)))

    def test_file_that_everyone_may_write_is_an_error(self) -> None:
        [finding] = self.examine(status(stat.S_IFREG | 0o666))
        self.assertEqual(Level.ERROR, finding.level)
        self.assertIn("mode 0666", finding.message)
        self.assertEqual(f"Run chmod o-w {self.path}.", finding.remedy)

    def test_file_that_another_group_may_write_is_reported(self) -> None:
        [finding] = self.examine(status(0o664, group=_OTHER_GROUP))
        self.assertEqual(Level.SECURITY, finding.level)
        self.assertIn("group", finding.message)

    def test_owner_who_is_not_trusted_is_reported(self) -> None:
        [finding] = self.examine(status(0o644, owner=12345))
        self.assertEqual(Level.SECURITY, finding.level)
        self.assertIn("12345", finding.message)

    def test_file_that_only_root_may_read_is_reported(self) -> None:
        [finding] = self.examine(status(0o600, owner=0, group=0))
        self.assertEqual(Level.WARNING, finding.level)
        self.assertIn("Only root may read it (mode 0600)", finding.message)
        self.assertEqual([], self.examine(status(0o640, owner=0)))

    def test_owner_of_a_file_without_configuration_does_not_matter(
        self,
    ) -> None:
        self.path.touch()
        file = status(0o644, owner=12345)
        self.assertEqual(
            [], list(permissions.examine(self.path, file, main=None))
        )

    def test_folder_in_which_files_can_be_replaced_is_an_error(self) -> None:
        [finding] = self.examine(status(0o644), status(stat.S_IFDIR | 0o777))
        self.assertEqual(
            (Level.ERROR, self.folder), (finding.level, finding.path)
        )

    def test_folder_with_sticky_bit_is_sound(self) -> None:
        self.assertEqual(
            [],
            self.examine(status(0o644), status(stat.S_IFDIR | 0o1777)),
        )


class NamesTest(unittest.TestCase):
    def test_unknown_users_and_groups_have_numbers(self) -> None:
        unknown = 2**31 - 7
        self.assertEqual(f"user {unknown}", permissions._user(unknown))
        self.assertEqual(str(unknown), permissions._group(unknown))
        self.assertEqual(unknown, permissions._primary_group(unknown))
