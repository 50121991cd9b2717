# SPDX-License-Identifier: Apache-2.0
from unittest import mock

from console_api.db import servers
from console_api.tests.unit.cmd.manage.base import ManageCase


class UnexpectedErrorTest(ManageCase):
    def setUp(self) -> None:
        super().setUp()
        error = KeyError("first line\nsecond line with values")
        self.enterContext(
            mock.patch.object(servers, "list_page", side_effect=error)
        )

    def test_unexpected_error_is_reported_with_its_traceback(self) -> None:
        for options in ((), ("--debug",)):
            with self.subTest(options):
                outcome = self.run_manage(*options, "server", "list")
                self.assertEqual((1, ""), (outcome.status, outcome.stdout))
                self.assertEqual(1, outcome.stderr.count("Traceback"))
                self.assertIn("in _all_servers", outcome.stderr)
