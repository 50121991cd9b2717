# SPDX-License-Identifier: Apache-2.0
"""Handover of an agent's sockets to its successor, another process.

The agent starts its successor with one end of a socket pair, over which both
send messages of one packet each::

    successor                        agent
    hello PID       ------------->   (checks, reads the database)
    take            ------------->   stops accepting
                    <-------------   sockets, with up to 250 descriptors each
                    <-------------   end
    serving         ------------->   closes its copies, drains
    bye             ------------->   (the successor exits as it should)

Until ``serving``, the agent goes on if its successor exits.  From then on, it
exits with its successor, unless that says ``bye``.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Self

from console_api import errors

# The environment variable with the descriptor that a successor inherits.
_ENVIRONMENT = "CONSOLE_API_AGENT_HANDOVER"

_HELLO = b"hello "
_TAKE = b"take"
_SOCKETS = b"sockets"
_END = b"end"
_SERVING = b"serving"
_BYE = b"bye"

# Of a message, in bytes.
_MAX_LENGTH = 64

# How many descriptors a message has at most: SCM_RIGHTS allows 253.
_BATCH = 250


class HandoverError(errors.ConsoleAPIError):
    """The other process has exited, or sends something unexpected."""


class Channel:
    """One end of the socket pair."""

    def __init__(self, end: socket.socket) -> None:
        """Use a socket of the type ``SOCK_SEQPACKET``, and own it."""
        end.setblocking(False)
        self._socket = end

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    async def send(
        self, message: bytes, sockets: Sequence[socket.socket] = ()
    ) -> None:
        """Send a message, with sockets that both processes then have.

        :raises HandoverError: the other end is closed
        """
        numbers = [one.fileno() for one in sockets]
        while True:
            try:
                socket.send_fds(self._socket, [message], numbers)
            except BlockingIOError:
                loop = asyncio.get_running_loop()
                await _ready(
                    loop.add_writer, loop.remove_writer, self._socket.fileno()
                )
            except OSError as error:
                raise HandoverError(f"Cannot send sockets: {error}") from error
            else:
                return

    async def receive(self) -> tuple[bytes, list[socket.socket]]:
        """Return the next message, with its sockets.

        :raises HandoverError: the other end is closed, or this process may
            not open as many files
        """
        while True:
            try:
                message, numbers, flags, _ = socket.recv_fds(
                    self._socket,
                    _MAX_LENGTH,
                    _BATCH,
                    socket.MSG_CMSG_CLOEXEC,
                )
            except BlockingIOError:
                await _readable(self._socket.fileno())
                continue
            except ConnectionError:
                message, numbers, flags = b"", [], 0
            sockets = [socket.socket(fileno=number) for number in numbers]
            if not message:
                raise HandoverError("The process has exited.")
            if flags & socket.MSG_CTRUNC:
                for one in sockets:
                    one.close()
                raise HandoverError("No more files can be opened.")
            return message, sockets


class Successor:
    """The process that an agent has started to take its place."""

    def __init__(
        self, channel: Channel, process: asyncio.subprocess.Process
    ) -> None:
        """Own a process that ``start`` has started."""
        self._channel = channel
        self._process = process
        self._pid_file: int | None = None
        #: Its process ID, 0 before ``wait_until_checked``.
        self.pid = 0

    @classmethod
    async def start(cls, command: Sequence[str]) -> Self:
        """Start a successor.

        :raises OSError: the command cannot be started
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel = Channel(ours)
        try:
            with theirs:
                number = theirs.fileno()
                process = await asyncio.create_subprocess_exec(
                    *command,
                    pass_fds=[number],
                    env={**os.environ, _ENVIRONMENT: str(number)},
                )
        except BaseException:
            channel.close()
            raise
        return cls(channel, process)

    async def wait_until_checked(self) -> None:
        """Wait until the successor asks for the sockets.

        :raises HandoverError: it has exited
        """
        message, _ = await self._channel.receive()
        hello, _, pid = message.partition(b" ")
        if hello != _HELLO.strip() or not pid.isdigit():
            raise HandoverError("The process sends an unknown message.")
        self.pid = int(pid)
        self._pid_file = os.pidfd_open(self.pid)
        await self._process.wait()
        await self._expect(_TAKE)

    async def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Hand sockets over, and wait until the successor serves them.

        :raises HandoverError: it does not serve
        """
        for start in range(0, len(sockets), _BATCH):
            await self._channel.send(_SOCKETS, sockets[start : start + _BATCH])
        await self._channel.send(_END)
        await self._expect(_SERVING)

    async def wait(self) -> bool:
        """Wait until the successor exits; return whether it did not crash."""
        try:
            await self._expect(_BYE)
        except HandoverError:
            return False
        return True

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the successor, unless it has exited."""
        if self._pid_file is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pid_file, number)

    async def end(self) -> None:
        """Kill the successor, and wait until it has exited."""
        self._channel.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        if self._pid_file is not None:
            self.send_signal(signal.SIGKILL)
            await _readable(self._pid_file)
            os.close(self._pid_file)
            self._pid_file = None

    async def _expect(self, expected: bytes) -> None:
        message, _ = await self._channel.receive()
        if message != expected:
            raise HandoverError("The process sends an unknown message.")


class Predecessor:
    """The agent that has started this process to take its place."""

    def __init__(self, channel: Channel) -> None:
        """Use the channel that ``connect`` has found."""
        self._channel = channel
        self._has_confirmed = asyncio.Event()

    @classmethod
    def connect(cls) -> Self | None:
        """Detach from the agent that has started this process.

        It must be called before any threads run, since it forks: systemd has
        to become the parent, so that it notices when this process exits.

        :returns: the agent; None if an agent did not start this process
        """
        number = os.environ.pop(_ENVIRONMENT, None)
        if number is None:
            return None
        if os.fork():
            os._exit(0)
        # Sent to a terminal's processes: it is not for this one yet.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        end = socket.socket(fileno=int(number))
        end.set_inheritable(False)
        end.send(_HELLO + str(os.getpid()).encode())
        return cls(Channel(end))

    async def take(self) -> list[socket.socket]:
        """Have the predecessor stop accepting; return its sockets.

        :raises HandoverError: it has exited, or no more files can be opened
        """
        await self._channel.send(_TAKE)
        sockets: list[socket.socket] = []
        while True:
            message, more = await self._channel.receive()
            sockets += more
            if message == _END:
                return sockets
            if message != _SOCKETS:
                raise HandoverError("The agent sends an unknown message.")

    async def confirm(self) -> None:
        """Tell the predecessor that its sockets are served."""
        # If it has exited, there is all the more reason to serve.
        with contextlib.suppress(HandoverError):
            await self._channel.send(_SERVING)
        self._has_confirmed.set()

    async def wait(self) -> None:
        """Wait until this process serves and the predecessor has exited."""
        await self._has_confirmed.wait()
        with contextlib.suppress(HandoverError):
            await self._channel.receive()

    async def say_goodbye(self) -> None:
        """Tell the predecessor that this process exits as it should."""
        with contextlib.suppress(HandoverError):
            await self._channel.send(_BYE)


def command() -> list[str]:
    """Return the command line that started this process."""
    # The program first: a new version may have another interpreter.
    program = shutil.which(sys.argv[0])
    if program is not None:
        return [program, *sys.argv[1:]]
    return [sys.executable, *sys.orig_argv[1:]]


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    await _ready(loop.add_reader, loop.remove_reader, descriptor)


async def _ready(
    add: Callable[..., object],
    remove: Callable[[int], object],
    descriptor: int,
) -> None:
    future = asyncio.get_running_loop().create_future()
    add(descriptor, _set, future)
    try:
        await future
    finally:
        remove(descriptor)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
