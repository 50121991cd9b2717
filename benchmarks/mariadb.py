# SPDX-License-Identifier: Apache-2.0
"""A private MariaDB server that can be killed."""

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from benchmarks import programs

_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 30.0


class MariaDB:
    """A server in a folder, running inside a ``with`` block."""

    def __init__(self, folder: Path) -> None:
        """Keep the settings; the server starts with the ``with`` block.

        :param folder: a folder that does not exist yet
        """
        self._folder = folder.absolute()
        self._port = programs.free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Create the data folder and start the server.

        :raises ProgramFailed: it fails, or takes too long
        """
        self._folder.mkdir()
        programs.run(
            [
                *("mariadb-install-db", "--no-defaults"),
                *("--auth-root-authentication-method=normal", *self._common),
            ]
        )
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.kill()

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database on it."""
        return f"mysql+pymysql://root@127.0.0.1:{self._port}/{database}"

    def execute(self, statement: str) -> None:
        """Execute a statement as root, without a database.

        :raises OperationalError: the server does not respond
        """
        engine = sa.create_engine(self.url(""), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(sa.text(statement))
        finally:
            engine.dispose()

    def start(self) -> None:
        """Start the server and wait until it responds.

        :raises ProgramFailed: it fails, or takes too long
        """
        log = self._folder / "server.log"
        self._process = subprocess.Popen(
            [
                *("mariadbd", "--no-defaults", *self._common),
                *("--bind-address=127.0.0.1", f"--port={self._port}"),
                f"--socket={self._folder / 'socket'}",
                f"--pid-file={self._folder / 'pid'}",
                f"--log-error={log}",
            ],
            env=programs.environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                self.execute("SELECT 1")
            except sa.exc.OperationalError as error:
                ended = self._process.poll() is not None
                if ended or time.monotonic() > until:
                    self.kill()
                    message = f"mariadbd did not start: {error}"
                    raise programs.ProgramFailed(message) from error
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """Kill the server, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def _common(self) -> list[str]:
        options = [f"--datadir={self._folder / 'data'}"]
        # It refuses to run as root otherwise.
        return [*options, "--user=root"] if os.getuid() == 0 else options
