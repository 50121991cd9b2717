# SPDX-License-Identifier: Apache-2.0
import socket
import time
import unittest
from unittest import mock

from console_api.osc import wait


class WaitTest(unittest.TestCase):
    def test_until_polls_the_condition(self) -> None:
        condition = mock.Mock(side_effect=[False, False, True])
        with mock.patch.object(wait, "_INTERVAL", 0):
            self.assertTrue(wait.until(condition, time.monotonic() + 60))
        self.assertEqual(3, condition.call_count)

    def test_until_polls_at_least_once(self) -> None:
        for answer in (True, False):
            condition = mock.Mock(return_value=answer)
            self.assertIs(answer, wait.until(condition, time.monotonic()))
            condition.assert_called_once_with()

    def test_accepts_returns_whether_the_port_is_open(self) -> None:
        deadline = time.monotonic() + 10
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.assertTrue(wait.accepts("127.0.0.1", port, deadline))
        self.assertFalse(wait.accepts("127.0.0.1", port, deadline))

    def test_invalid_host_name_accepts_no_connections(self) -> None:
        for name in (f"{'x' * 64}.example.org", "."):
            self.assertFalse(wait.accepts(name, 1, time.monotonic()))
