# SPDX-License-Identifier: Apache-2.0
"""One console: its port, its sessions, the wrong passwords it has seen."""

import asyncio
import contextlib
import logging
import socket
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.vnc.endpoint import Endpoints
from console_api.agent.drivers.vnc.session import Session
from console_api.net.attempts import Attempts
from console_api.net.stream import Stream

LOG = logging.getLogger(__name__)

#: Connections that wait until they are accepted.
BACKLOG = 128

# Seconds to wait when no more files can be opened.
_PAUSE = 1.0

# Seconds until that is said again.
_QUIET = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in seconds, and how many; no idle timeout is 0."""

    handshake_timeout: float
    idle_timeout: float
    max_sessions: int


class Newcomers:
    """The connections of all consoles that nobody has proved to be good.

    Whoever connects and stays silent makes room for those who come later.
    """

    def __init__(self, most: int) -> None:
        """Allow so many at a time."""
        self._most = most
        self._tasks: OrderedDict[asyncio.Task[None], None] = OrderedDict()
        self._quiet_until = 0.0

    def complain(self, error: OSError) -> None:
        """Say that a connection cannot be accepted, once for all consoles."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            LOG.error("Connections have to wait: %s.", error.strerror)

    def add(self, task: asyncio.Task[None]) -> None:
        """Let one in; ends the one that has been here for the longest."""
        while len(self._tasks) >= self._most:
            oldest, _ = self._tasks.popitem(last=False)
            oldest.cancel()
        self._tasks[task] = None

    def remove(self, task: asyncio.Task[Any] | None) -> None:
        """Let one go on, or forget one that has ended."""
        if task is not None:
            self._tasks.pop(task, None)


class Listener:
    """A console that is being served."""

    def __init__(
        self,
        console: Console,
        listening: socket.socket,
        *,
        attempts: Attempts,
        endpoints: Endpoints,
        limits: Limits,
        newcomers: Newcomers,
    ) -> None:
        """Serve a console on a socket that listens already."""
        self.console = console
        self.attempts = attempts
        self.endpoints = endpoints
        self.limits = limits
        self._socket = listening
        self._newcomers = newcomers
        self._tasks: set[asyncio.Task[None]] = set()
        self._sessions = 0
        self._loop = asyncio.get_running_loop()
        self._listen()

    def close(self) -> None:
        """Close the port and end the sessions."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until the sessions have ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextlib.contextmanager
    def count_session(self) -> Iterator[bool]:
        """Count a session as long as it lasts; tells whether it may."""
        self._newcomers.remove(asyncio.current_task())
        self._sessions += 1
        try:
            yield self._sessions <= self.limits.max_sessions
        finally:
            self._sessions -= 1

    def _listen(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connected, address = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            # No more files: the connections wait in the queue of the socket.
            self._newcomers.complain(error)
            self._loop.remove_reader(self._socket)
            self._loop.call_later(_PAUSE, self._listen)
            return
        task = self._loop.create_task(self._serve(connected, address[0]))
        self._tasks.add(task)
        self._newcomers.add(task)
        task.add_done_callback(self._forget)

    async def _serve(self, connected: socket.socket, address: str) -> None:
        try:
            viewer = await Stream.accept(connected)
            await Session(self, viewer, address).run()
        except Exception:
            LOG.exception("Console %d: unexpected error", self.console.id)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._newcomers.remove(task)
