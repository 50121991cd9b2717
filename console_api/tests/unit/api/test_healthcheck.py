# SPDX-License-Identifier: Apache-2.0
import os
from unittest import mock

import sqlalchemy as sa
from oslo_middleware.healthcheck.pluginbase import HealthcheckResult

from console_api import errors
from console_api.api import pipeline
from console_api.api.healthcheck import DatabaseHealthcheck
from console_api.db import console_auth_tokens
from console_api.tests.unit import base


class HealthcheckTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.check = DatabaseHealthcheck(self.conf, {})
        self.enterContext(
            mock.patch.object(
                pipeline, "load_database", return_value=self.database
            )
        )

    def run_check(self) -> HealthcheckResult:
        return self.check.healthcheck(9890)

    def assert_unhealthy(self, reason: str, details: str) -> None:
        result = self.run_check()
        self.assertFalse(result.available)
        self.assertIn(reason, result.reason)
        self.assertRegex(result.details or "", details)

    def test_available_database_is_healthy(self) -> None:
        result = self.run_check()
        self.assertEqual((True, "OK"), (result.available, result.reason))
        self.assertEqual("Reads: OK\nWrites: OK", result.details)

    def test_deleted_sqlite_file_is_unhealthy(self) -> None:
        self.assertTrue(self.run_check().available)
        (self.folder / "console_api.sqlite").unlink()
        for _ in range(2):
            self.assert_unhealthy(
                "The database is unavailable",
                "Reads: .* file cannot be opened",
            )

    def test_emptied_sqlite_file_is_unhealthy(self) -> None:
        (self.folder / "console_api.sqlite").write_bytes(b"")
        self.assert_unhealthy("unavailable", "Reads: .*no such table")

    def test_read_only_sqlite_file_is_unhealthy(self) -> None:
        for file_and_folder in ([False], [True, False]):
            with mock.patch.object(os, "access", side_effect=file_and_folder):
                self.assert_unhealthy(
                    "accepts no writes", "Reads: OK\nWrites: the database"
                )

    def test_failed_write_is_shown_until_one_succeeds(self) -> None:
        failure = sa.exc.OperationalError("", {}, Exception("disk full"))
        with (
            mock.patch.object(
                self.database._writer, "connect", side_effect=failure
            ),
            self.assertRaises(errors.DatabaseUnavailable),
        ):
            console_auth_tokens.delete(self.database, "a hash")
        result = self.run_check()
        self.assertTrue(result.available)
        self.assertIn("the last write failed at 20", result.reason)
        self.assertNotIn("full", result.reason)
        self.assertIn("disk full", result.details or "")
        console_auth_tokens.delete(self.database, "a hash")
        self.assertEqual("OK", self.run_check().reason)
