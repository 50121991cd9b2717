# SPDX-License-Identifier: Apache-2.0
"""One PostgreSQL server of a primary and a standby, for tests."""

import atexit
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL

from console_api.tests.functional import examples
from console_api.tests.functional.database_servers import (
    SYSTEM_USER,
    postgresql_program,
)
from console_api.tests.ports import free_port
from console_api.tests.waiting import TIMEOUT, wait_until

# As on Debian, the configuration is outside the data directory.  The programs
# are killed, never the machine, so nothing has to be synchronized to disks.
_SETTINGS = """
data_directory = '{folder}/data'
hba_file = '{folder}/pg_hba.conf'
ident_file = '{folder}/pg_ident.conf'
unix_socket_directories = '{folder}'
port = {port}
fsync = off
shared_buffers = 32MB
include_dir = 'conf.d'
"""

_PGPASS = "*:*:*:replication:secret\n"


class Server:
    """A server, which can fail in several ways."""

    def __init__(self, folder: Path, name: str) -> None:
        """Choose its port.

        :param folder: where to create its files
        :param name: its name in the example
        """
        self.name = name
        self.port = free_port()
        self._folder = folder
        self._programs = Path(postgresql_program("postgres")).parent
        self._settings = folder / "postgresql.conf"
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, changes: Mapping[str, str]) -> None:
        """Write the configuration.

        :param changes: what to replace in the example
        """
        included = self._folder / "conf.d"
        included.mkdir(parents=True)
        examples.write("postgresql-replication.conf", included, changes)
        self._settings.write_text(
            _SETTINGS.format(folder=self._folder, port=self.port)
        )
        accounts = examples.write(
            "postgresql-hba.conf",
            self._folder,
            {
                "198.51.100.0/24": "127.0.0.1/32",
                "198.51.100.31/32": "127.0.0.1/32",
                "198.51.100.32/32": "127.0.0.1/32",
            },
        )
        (self._folder / "pg_hba.conf").write_text(
            f"local all postgres trust\n{accounts.read_text()}"
        )
        (self._folder / "pg_ident.conf").touch()
        passwords = self._folder / ".pgpass"
        passwords.write_text(_PGPASS)
        passwords.chmod(0o600)
        self._script = examples.write(
            "postgresql-join.sh",
            self._folder,
            {
                "runuser -u postgres --": " ".join(self._as_system_user()),
                "/usr/lib/postgresql/15/bin": str(self._programs),
                "/var/lib/postgresql/15/main": f"{self._folder}/data",
                "/var/lib/postgresql/.pgpass": str(passwords),
                "/etc/postgresql/15/main": str(self._folder),
            },
        )
        if os.geteuid() == 0:
            for path in (self._folder, passwords):
                shutil.chown(path, SYSTEM_USER)

    def install(self) -> None:
        """Create the data directory."""
        self._run(
            *self._as_system_user(),
            str(self._programs / "initdb"),
            f"--pgdata={self._folder}/data",
            "--username=postgres",
            "--no-sync",
        )

    def join(self, primary: "Server") -> None:
        """Make it a standby, and start it; it must be stopped."""
        self._run("sh", str(self._script), f"127.0.0.1 port={primary.port}")
        self.start()

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        atexit.register(self.kill)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                # The kernel kills it if the tests are killed.
                [
                    *("setpriv", "--pdeathsig", "KILL"),
                    *self._as_system_user(),
                    str(self._programs / "postgres"),
                    f"--config_file={self._settings}",
                ],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(self.log)
        try:
            self.value("SELECT 1")
        except sa.exc.DBAPIError:
            return False
        return True

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return (self._folder / "log").read_text(errors="replace")

    def value(self, query: str, database: str = "postgres") -> object:
        """Execute a statement as the administrator.

        :returns: the first column of its first row, None without any
        """
        engine = sa.create_engine(
            URL.create(
                "postgresql+psycopg2",
                "postgres",
                database=database,
                query={"host": str(self._folder), "port": str(self.port)},
            ),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )
        with engine.connect() as connection:
            result = connection.exec_driver_sql(query)
            return result.scalar() if result.returns_rows else None

    def psql(self, example: str) -> None:
        """Execute an example of ``etc/console_api/deploy``."""
        path = examples.write(example, self._folder, {})
        text = path.read_text()
        for placeholder in ("PASSWORD-OF-REPLICATION", "PASSWORD"):
            text = text.replace(f"'{placeholder}'", "'secret'")
        path.write_text(text)
        self._run(
            str(self._programs / "psql"),
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            f"--host={self._folder}",
            f"--port={self.port}",
            "--username=postgres",
            f"--file={path}",
        )

    def kill(self) -> None:
        """Kill all its processes, as a power failure would."""
        atexit.unregister(self.kill)
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def shut_down(self) -> None:
        """Stop it in the regular way, as ``systemctl stop`` does."""
        assert self._process is not None
        # Fast: without waiting for clients.
        self._process.send_signal(signal.SIGINT)
        self._process.wait(TIMEOUT)

    def freeze(self) -> None:
        """Suspend all its processes; connections remain."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume all its processes."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        """Send a signal to all processes, each of which is a session."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        # So that it starts no other process.
        process.send_signal(signal.SIGSTOP)
        path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        for pid in [*map(int, path.read_text().split()), process.pid]:
            os.kill(pid, number)

    @staticmethod
    def _as_system_user() -> list[str]:
        """Return a prefix for commands: PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return ["env"]
        return ["setpriv", f"--reuid={SYSTEM_USER}", "--clear-groups"]

    @staticmethod
    def _run(*arguments: str) -> None:
        done = subprocess.run(
            arguments,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise AssertionError(done.stdout.decode(errors="replace"))
