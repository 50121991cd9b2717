# SPDX-License-Identifier: Apache-2.0
"""A time limit of statements that holds if the server is frozen.

PostgreSQL ends statements that take too long, unless it is suspended or waits
for a disk that hangs.  Its system still acknowledges what is sent, so TCP
finds nothing wrong either, and psycopg2 has no time limit of its own.
"""

import contextlib
import functools
import os
import socket
import threading
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

# Seconds between two looks at the statements that are running.
_INTERVAL = 1.0

# Seconds after its time limit that a statement has until the connection ends:
# the server should end the statement first.
_GRACE_TIME = 5.0


class Watchdog:
    """Ends connections of a process that wait too long; safe for threads."""

    def __init__(self) -> None:
        """Create a watchdog; its thread starts with the first statement."""
        # By thread: when the statement must have ended, and its connection.
        self._running: dict[int, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self, connection: Any, seconds: float) -> None:
        """Start to watch a statement of this thread.

        :param connection: the connection of psycopg2
        :param seconds: the time limit
        """
        # Not alive in a process that was forked, either.
        if self._thread is None or not self._thread.is_alive():
            self._start()
        deadline = time.monotonic() + seconds + _GRACE_TIME
        self._running[threading.get_ident()] = (deadline, connection)

    def end(self) -> None:
        """Stop watching the statement of this thread."""
        self._running.pop(threading.get_ident(), None)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._watch, name="database-watchdog", daemon=True
                )
                self._thread.start()

    def _watch(self) -> None:
        while True:
            time.sleep(_INTERVAL)
            now = time.monotonic()
            for deadline, connection in self._running.copy().values():
                if now > deadline:
                    _shut_down(connection)


def watch(engine: Engine, seconds: float) -> None:
    """Limit the time that statements of psycopg2 wait for the server.

    :param engine: an engine; those of other drivers are not changed
    :param seconds: the time limit
    """
    if engine.dialect.driver != "psycopg2":
        return
    connection_class, cursor_class = _classes(seconds)

    def use_classes(
        _dialect: object, _record: object, _arguments: object, options: Any
    ) -> None:
        options["connection_factory"] = connection_class
        options["cursor_factory"] = cursor_class

    sa.event.listen(engine, "do_connect", use_classes)


@functools.cache
def _watchdog() -> Watchdog:
    """Return the one of this process."""
    return Watchdog()


def _classes(seconds: float) -> tuple[type, type]:
    """Return subclasses of psycopg2's connection and cursor."""
    # Imported here, because the driver is optional.
    from psycopg2 import (  # type: ignore[import-untyped]  # noqa: PLC0415
        extensions,
    )

    watchdog = _watchdog()

    class Cursor(extensions.cursor):  # type: ignore[misc]
        def execute(self, *arguments: Any) -> None:
            watchdog.begin(self.connection, seconds)
            try:
                super().execute(*arguments)
            finally:
                watchdog.end()

    class Connection(extensions.connection):  # type: ignore[misc]
        def commit(self) -> None:
            watchdog.begin(self, seconds)
            try:
                super().commit()
            finally:
                watchdog.end()

        def rollback(self) -> None:
            watchdog.begin(self, seconds)
            try:
                super().rollback()
            finally:
                watchdog.end()

    return Connection, Cursor


def _shut_down(connection: Any) -> None:
    """End a connection whose thread waits for the server.

    The thread gets an error.  If the statement has just ended, the next
    one finds the connection dead, and is repeated.
    """
    with (
        contextlib.suppress(Exception),
        socket.socket(fileno=os.dup(connection.fileno())) as end,
    ):
        end.shutdown(socket.SHUT_RDWR)
