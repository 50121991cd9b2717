# SPDX-License-Identifier: Apache-2.0
import errno
import socket
import unittest
from unittest import mock

from console_api.agent.drivers.xvp import ports
from console_api.tests.ports import free_port


class PortsTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.port = free_port()
        self.listener = self.enterContext(
            socket.create_server(("127.0.0.1", self.port))
        )

    def test_listener_is_found(self) -> None:
        self.assertEqual({self.port}, ports.taken([self.port]))
        before = ports.listeners({self.port})
        self.assertEqual([1], [len(inodes) for inodes in before.values()])
        self.listener.close()
        self.assertEqual(frozenset(), ports.taken([self.port]))
        self.assertEqual({}, ports.listeners({self.port}))
        with socket.create_server(("127.0.0.1", self.port)):
            after = ports.listeners({self.port})
        self.assertNotEqual(before[self.port], after[self.port])

    def test_connection_in_time_wait_is_ignored(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)):
            accepted, _ = self.listener.accept()
            with accepted:
                self.listener.close()
                self.assertEqual(frozenset(), ports.taken([self.port]))
                self.assertEqual({}, ports.listeners({self.port}))

    def test_error_other_than_port_in_use_is_raised(self) -> None:
        refused = OSError(errno.EMFILE, "Too many open files")
        with (
            mock.patch.object(socket.socket, "bind", side_effect=refused),
            self.assertRaises(OSError),
        ):
            ports.taken([self.port])
