# SPDX-License-Identifier: Apache-2.0
import socket
import sys
import unittest
from pathlib import Path
from unittest import mock

from console_api.agent import handover
from console_api.agent.handover import HandoverError, Successor

_BEGIN = """
import asyncio
import os
import signal
from console_api.agent.handover import Predecessor
predecessor = Predecessor.connect()
"""

# Asks for sockets and answers the first connection with their number.
_SERVING = f"""{_BEGIN}
async def main():
    sockets = await predecessor.take()
    await predecessor.confirm()
    sockets[0].setblocking(True)
    connected, _ = sockets[0].accept()
    connected.send(str(len(sockets)).encode())
    await predecessor.say_goodbye()
asyncio.run(main())
"""

_SERVING_UNTIL_CRASH = f"""{_BEGIN}
async def main():
    await predecessor.take()
    await predecessor.confirm()
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""

_FAILING_AFTER_TAKE = f"""{_BEGIN}
asyncio.run(predecessor.take())
"""

_HANGING = f"""{_BEGIN}
async def main():
    await predecessor.take()
    await asyncio.Event().wait()
asyncio.run(main())
"""

_UNKNOWN_MESSAGE = """
import os, socket
end = socket.socket(fileno=int(os.environ["CONSOLE_API_AGENT_HANDOVER"]))
end.send(b"hello world")
"""


class SuccessorTest(unittest.IsolatedAsyncioTestCase):
    async def start(self, script: str) -> Successor:
        successor = await Successor.start([sys.executable, "-c", script])
        self.addAsyncCleanup(successor.end)
        return successor

    def listen(self) -> socket.socket:
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        return listening

    async def test_sockets_are_served_by_successor(self) -> None:
        listening = self.listen()
        copies = [listening.dup() for _ in range(300)]
        successor = await self.start(_SERVING)
        await successor.wait_until_checked()
        await successor.serve(copies)
        with socket.create_connection(listening.getsockname()) as viewer:
            for one in (listening, *copies):
                one.close()
            self.assertEqual(b"300", viewer.recv(10))
        self.assertTrue(await successor.wait())

    async def test_crash_of_successor_is_noticed(self) -> None:
        successor = await self.start(_SERVING_UNTIL_CRASH)
        await successor.wait_until_checked()
        await successor.serve([])
        self.assertFalse(await successor.wait())

    async def test_exit_before_checks_is_an_error(self) -> None:
        for script in ("raise SystemExit(1)", f"{_BEGIN}", _UNKNOWN_MESSAGE):
            with self.subTest(script):
                successor = await self.start(script)
                with self.assertRaises(HandoverError):
                    await successor.wait_until_checked()

    async def test_exit_after_checks_is_an_error(self) -> None:
        successor = await self.start(_FAILING_AFTER_TAKE)
        await successor.wait_until_checked()
        with self.assertRaises(HandoverError):
            await successor.serve([self.listen()])

    async def test_end_kills_hanging_successor(self) -> None:
        successor = await self.start(_HANGING)
        await successor.wait_until_checked()
        await successor.end()
        self.assertFalse(is_running(successor.pid))

    async def test_missing_command_is_an_error(self) -> None:
        with self.assertRaises(FileNotFoundError):
            await Successor.start(["/nonexistent/console-api-agent"])


def is_running(pid: int) -> bool:
    """Return whether a process has not exited, even if it is a zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


class CommandTest(unittest.TestCase):
    def test_program_is_executed_again(self) -> None:
        arguments = [sys.executable, "--config-dir", "/etc/console_api"]
        with mock.patch.object(sys, "argv", arguments):
            self.assertEqual(arguments, handover.command())

    def test_module_is_executed_by_same_interpreter(self) -> None:
        original = ["python3", "-m", "console_api.cmd.agent"]
        with (
            mock.patch.object(sys, "argv", ["/nonexistent/agent.py"]),
            mock.patch.object(sys, "orig_argv", original),
        ):
            self.assertEqual(
                [sys.executable, *original[1:]], handover.command()
            )
