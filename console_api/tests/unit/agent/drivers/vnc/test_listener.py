# SPDX-License-Identifier: Apache-2.0
import asyncio
import errno
import socket
import unittest
from typing import cast
from unittest import mock

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.vnc import listener
from console_api.agent.drivers.vnc.displays import Display
from console_api.agent.drivers.vnc.listener import Listener
from console_api.agent.drivers.vnc.log_limit import LogLimit
from console_api.agent.drivers.vnc.security import Security
from console_api.agent.drivers.vnc.session import Limits
from console_api.net.failed_attempts import AttemptHistory, AttemptLimits
from console_api.net.pending_handshakes import PendingHandshakes

CONSOLE = Console(1, "server", "instance", "compute-1", 1, "pAsSw0rd")


class FailingSocket:
    """A listening socket whose first calls of ``accept`` fail."""

    def __init__(self, failure_count: int) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.address = self._socket.getsockname()
        self.fileno = self._socket.fileno
        self.close = self._socket.close
        self.listen = self._socket.listen
        self._failure_count = failure_count

    def accept(self) -> tuple[socket.socket, object]:
        if self._failure_count:
            self._failure_count -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._socket.accept()


async def open_display(server_id: str) -> Display:
    raise NotImplementedError


class AcceptTest(unittest.IsolatedAsyncioTestCase):
    async def test_file_limit_is_logged_once_and_retried(self) -> None:
        listening = FailingSocket(3)
        with (
            mock.patch.object(listener, "_ACCEPT_RETRY_INTERVAL", 0),
            self.assertLogs(listener.LOG) as logs,
        ):
            served = Listener(
                CONSOLE,
                cast("socket.socket", listening),
                security=Security(),
                history=AttemptHistory(AttemptLimits(10, 60)),
                open_display=open_display,
                limits=Limits(10, 10, 10, 10),
                pending=PendingHandshakes(10),
                accept_log=LogLimit(60),
            )
            reader, writer = await asyncio.open_connection(*listening.address)
            async with asyncio.timeout(10):
                self.assertEqual(b"RFB ", await reader.readexactly(4))
        self.assertEqual(1, len(logs.output))
        self.assertIn("Cannot accept connections: Too many", logs.output[0])
        writer.close()
        served.close("the test ended")
        await served.wait_closed()
