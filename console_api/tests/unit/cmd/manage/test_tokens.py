# SPDX-License-Identifier: Apache-2.0
import time

from console_api.db import tables
from console_api.tests.unit.cmd.manage.base import ManageCase


class PurgeTest(ManageCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_server()

    def add_tokens(self, *expire_in: int) -> None:
        for number, seconds in enumerate(expire_in):
            self.add_token(
                f"{number:064}", expires_at=int(time.time()) + seconds
            )

    def test_expired_tokens_are_deleted_and_counted(self) -> None:
        self.add_tokens(-1, 600, -5, -3600, 1200)
        outcome = self.manage("token", "purge")
        self.assertEqual("Deleted 3 expired tokens.\n", outcome.stdout)
        remaining = self.rows(tables.console_auth_tokens)
        self.assertEqual(["1", "4"], [row.token_hash[-1] for row in remaining])
        outcome = self.manage("token", "purge")
        self.assertEqual("Deleted 0 expired tokens.\n", outcome.stdout)

    def test_all_batches_are_deleted(self) -> None:
        self.add_tokens(-1, -2, -3)
        outcome = self.manage("token", "purge", "--batch-size", "2")
        self.assertEqual("Deleted 3 expired tokens.\n", outcome.stdout)
        self.assertEqual([], self.rows(tables.console_auth_tokens))

    def test_invalid_batch_sizes_are_refused(self) -> None:
        for size in ("0", "10001", "-1", "x", "", "1.5", "\u0661"):
            with self.subTest(size):
                self.assertRefused(
                    "--batch-size: must be",
                    *("token", "purge", f"--batch-size={size}"),
                    status=2,
                )
