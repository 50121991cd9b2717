# SPDX-License-Identifier: Apache-2.0
from unittest import mock

from console_api import errors
from console_api.api.healthcheck import DatabaseHealthcheck
from console_api.db.engine import Database
from console_api.tests.unit import base


class HealthcheckTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.check = DatabaseHealthcheck(self.conf, {})

    def test_available_database_is_healthy(self) -> None:
        result = self.check.healthcheck(9890)
        self.assertEqual((True, "OK"), (result.available, result.reason))

    def test_deleted_sqlite_file_is_unhealthy(self) -> None:
        self.assertTrue(self.check.healthcheck(9890).available)
        (self.folder / "console_api.sqlite").unlink()
        for _ in range(2):
            result = self.check.healthcheck(9890)
            self.assertFalse(result.available)

    def test_unavailable_database_is_unhealthy(self) -> None:
        with mock.patch.object(
            Database, "read", side_effect=errors.DatabaseUnavailable
        ):
            result = self.check.healthcheck(9890)
        self.assertFalse(result.available)
        self.assertIn("unavailable", result.reason)
