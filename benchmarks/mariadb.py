# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server of our own, which may be killed."""

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from benchmarks import programs

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class MariaDB:
    """A server in a folder, for as long as ``with`` runs."""

    def __init__(self, folder: Path) -> None:
        """Remember where; nothing is made before ``with``.

        :param folder: one that is not there yet
        """
        self._folder = folder.absolute()
        self._port = programs.free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Make the database and start the server.

        :raises ProgramFailed: it cannot be made, or is not up in time
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
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database on it."""
        return f"mysql+pymysql://root@127.0.0.1:{self._port}/{database}"

    def execute(self, statement: str) -> None:
        """Execute a statement as root, in no database.

        :raises OperationalError: the server does not answer
        """
        engine = sa.create_engine(self.url(""), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(sa.text(statement))
        finally:
            engine.dispose()

    def start(self) -> None:
        """Start the server and wait until it answers.

        :raises ProgramFailed: it does not
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
        until = time.monotonic() + _START_SECONDS
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
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def _common(self) -> list[str]:
        options = [f"--datadir={self._folder / 'data'}"]
        # As root, it only runs when told to.
        return [*options, "--user=root"] if os.getuid() == 0 else options
