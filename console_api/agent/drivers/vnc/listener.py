# SPDX-License-Identifier: Apache-2.0
"""The port of one console and its sessions."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.vnc.displays import Display
from console_api.agent.drivers.vnc.log_limit import LogLimit
from console_api.agent.drivers.vnc.security import Security
from console_api.agent.drivers.vnc.session import Limits, Session
from console_api.net import addresses
from console_api.net.failed_attempts import AttemptHistory
from console_api.net.password_queue import PasswordQueue
from console_api.net.pending_handshakes import PendingHandshakes
from console_api.net.stream import Stream

LOG = logging.getLogger(__name__)

#: How many connections the kernel queues until they are accepted.
BACKLOG = 128

# Seconds until accepting is retried when no more files can be opened.
_ACCEPT_RETRY_INTERVAL = 1.0

# Seconds between two lines about wrong passwords of a console.
_WRONG_PASSWORD_INTERVAL = 1.0


class Listener:
    """Serves one console on its port."""

    def __init__(
        self,
        console: Console,
        listening: socket.socket,
        *,
        security: Security,
        history: AttemptHistory,
        open_display: Callable[[str], Awaitable[Display]],
        limits: Limits,
        pending: PendingHandshakes,
        accept_log: LogLimit,
    ) -> None:
        """Accept viewers.

        :param listening: a socket that already listens
        :param history: the attempts to authenticate at all consoles
        :param open_display: see ``Session``
        :param pending: the unauthenticated connections of all consoles
        :param accept_log: limits lines about connections that cannot be
            accepted, for all consoles
        """
        self.console = console
        self._socket = listening
        self._security = security
        self._passwords = PasswordQueue(console.id, history)
        self._wrong_password_log = LogLimit(_WRONG_PASSWORD_INTERVAL)
        self._open_display = open_display
        self._limits = limits
        self._pending = pending
        self._accept_log = accept_log
        self._tasks: set[asyncio.Task[None]] = set()
        self._session_count = 0
        self._loop = asyncio.get_running_loop()
        self._is_paused = False
        self._listen()

    @property
    def connection_count(self) -> int:
        """The number of connected viewers, authenticated or not."""
        return len(self._tasks)

    def pause(self) -> socket.socket:
        """Let connections wait in the backlog; return the socket."""
        self._is_paused = True
        self._loop.remove_reader(self._socket)
        return self._socket

    def resume(self) -> None:
        """Accept viewers after ``pause``."""
        self._is_paused = False
        self._listen()

    def release(self) -> None:
        """Leave the port to the other process that has it; keep sessions."""
        self._is_paused = True
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def close(self, reason: str) -> None:
        """Close the port and end the sessions.

        :param reason: why the sessions end, for the log
        """
        self.release()
        for task in self._tasks:
            task.cancel(reason)

    async def wait_closed(self) -> None:
        """Wait until all sessions have ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _listen(self) -> None:
        if self._is_paused or self._socket.fileno() < 0:
            return
        try:
            # A successor that failed may have closed the port here, too.
            self._socket.listen(BACKLOG)
        except OSError as error:
            self._stop_accepting(error)
        else:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connected, address = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._stop_accepting(error)
            return
        task = self._loop.create_task(self._serve(connected, address[0]))
        self._tasks.add(task)
        self._pending.add(task, addresses.network(address[0]))
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._pending.discard)

    def _stop_accepting(self, error: OSError) -> None:
        """Let connections wait in the backlog: no more files can be opened."""
        if self._accept_log.count():
            LOG.error("Cannot accept connections: %s.", error.strerror)
        self._loop.remove_reader(self._socket)
        self._loop.call_later(_ACCEPT_RETRY_INTERVAL, self._listen)

    async def _serve(self, connected: socket.socket, address: str) -> None:
        try:
            session = Session(
                self.console,
                await Stream.accept(connected),
                address,
                security=self._security,
                passwords=self._passwords,
                wrong_password_log=self._wrong_password_log,
                open_display=self._open_display,
                count_session=self._count_session,
                limits=self._limits,
            )
            await session.run()
        except Exception:
            LOG.exception("Console %d: unexpected error", self.console.id)

    @contextlib.contextmanager
    def _count_session(self) -> Iterator[bool]:
        """Count the session of the current task, which has authenticated."""
        task = asyncio.current_task()
        if task is not None:
            self._pending.discard(task)
        self._session_count += 1
        try:
            yield self._session_count <= self._limits.max_sessions
        finally:
            self._session_count -= 1
