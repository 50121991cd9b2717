# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that simulates failures of networks and database servers.

It also counts the round trips of clients.
"""

import contextlib
import functools
import socket
import threading
from collections.abc import Callable

from console_api.tests.ports import free_port


class TCPProxy:
    """Forwards connections to another address until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        """Listen on a free port."""
        self._target = (host, port)
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._flows = threading.Event()
        #: Set once a stalled proxy holds back an answer.
        self.holds = threading.Event()
        self._listener: socket.socket | None = None
        # No outgoing connection takes it while the proxy is cut.
        self.port = free_port()
        #: Number of times that a client sent data after the server did.
        self.round_trips = 0
        self.restore()

    def restore(self) -> None:
        """Accept connections, on the same port as before."""
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(
            target=self._accept, args=(self._listener,), daemon=True
        ).start()

    def redirect(self, host: str, port: int) -> None:
        """Forward new connections to another address."""
        self._target = (host, port)

    def stall(self) -> None:
        """Keep all connections, but forward no answers until it is cut."""
        self.holds.clear()
        self._flows.clear()

    def cut(self) -> None:
        """Close all connections and refuse new ones."""
        self._flows.set()
        listener, self._listener = self._listener, None
        if listener is None:
            return
        with contextlib.suppress(OSError):
            # This wakes the thread that waits in accept().
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        with self._lock:
            ended, self._sockets = self._sockets, set()
        for connection in ended:
            _end(connection)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            with self._lock:
                if self._listener is not listener:
                    _end(client)
                    _end(server)
                    return
                self._sockets |= {client, server}
            answered = threading.Event()
            answered.set()
            for arguments in (
                (client, server, functools.partial(self._ask, answered)),
                (server, client, functools.partial(self._answer, answered)),
            ):
                threading.Thread(
                    target=_copy, args=arguments, daemon=True
                ).start()

    def _answer(self, answered: threading.Event) -> None:
        if not self._flows.is_set():
            self.holds.set()
        self._flows.wait()
        answered.set()

    def _ask(self, answered: threading.Event) -> None:
        if answered.is_set():
            answered.clear()
            with self._lock:
                self.round_trips += 1


def _copy(
    source: socket.socket,
    target: socket.socket,
    before_sending: Callable[[], None],
) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            before_sending()
            target.sendall(data)
    _end(source)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
