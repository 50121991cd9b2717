# SPDX-License-Identifier: Apache-2.0
import unittest
from unittest import mock

from console_api.agent.drivers.xvp.daemon import Daemon
from console_api.tests.unit import base


class ServeTest(base.FolderCase, unittest.IsolatedAsyncioTestCase):
    async def test_unwritable_file_is_not_blamed_on_a_line(self) -> None:
        daemon = Daemon("xvp", self.folder / "missing", 1, on_exit=mock.Mock())
        # Of the file before.
        daemon.refused_line = 3
        with self.assertRaises(FileNotFoundError):
            await daemon.serve("OTP DENY\n", frozenset())
        self.assertIsNone(daemon.refused_line)
