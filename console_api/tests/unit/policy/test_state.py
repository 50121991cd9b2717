# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console_api.policy.state import out_of_date_since
from console_api.tests.unit import base

if TYPE_CHECKING:
    from console_api.policy.files import Stamps

SECOND = timedelta(seconds=1)


class OutOfDateTest(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "policy.yaml"
        self.path.touch()
        self.edited_at = datetime.fromtimestamp(self.path.stat().st_ctime, UTC)

    def since(
        self, loaded_at: datetime, path: Path, *, is_changed: bool = True
    ) -> datetime:
        before: Stamps = {path: (1,), self.folder: (1,)}
        now: Stamps = {path: (2,) if is_changed else (1,), self.folder: (1,)}
        return out_of_date_since(loaded_at, before, now)

    def test_edit_counts_since_it_was_made(self) -> None:
        since = self.since(self.edited_at - SECOND, self.path)
        self.assertEqual(self.edited_at, since)

    def test_other_failures_count_since_they_are_noticed(self) -> None:
        for case, loaded_at, path, is_changed in (
            ("removed", self.edited_at, self.folder / "absent", True),
            ("unreadable", self.edited_at - SECOND, self.path, False),
            ("mounted", self.edited_at + SECOND, self.path, True),
        ):
            with self.subTest(case):
                before = datetime.now(UTC)
                since = self.since(loaded_at, path, is_changed=is_changed)
                self.assertLessEqual(before, since)
                self.assertLessEqual(since, datetime.now(UTC))
