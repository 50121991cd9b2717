# SPDX-License-Identifier: Apache-2.0
"""One MariaDB server of a Galera cluster, for tests."""

import atexit
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pymysql

from console_api.tests import prerequisites
from console_api.tests.functional import examples
from console_api.tests.ports import free_port, free_range
from console_api.tests.waiting import TIMEOUT

#: The value of ``wsrep_local_state`` of a node with all changes.
SYNCED = "4"

_PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")

# What nodes on one machine have of their own, and small files.
_OPTIONS = """
port = {port}
datadir = {folder}/data
socket = {folder}/socket
pid_file = {folder}/pid
log_error = {folder}/error.log
innodb_buffer_pool_size = 32M
innodb_log_file_size = 16M
wsrep_sst_receive_address = 127.0.0.1:{transfer_port}
wsrep_provider_options = "gmcast.listen_addr=tcp://127.0.0.1:{cluster_port};\
gcache.size=16M"
"""


class Node:
    """A node, which can fail in several ways."""

    def __init__(self, folder: Path, name: str) -> None:
        """Choose its ports.

        :param folder: where to create its files
        :param name: its name in the cluster
        """
        self.name = name
        #: Where it listens for clients, and for other nodes.
        self.port = free_port()
        self.cluster_port = int(free_range(3).partition("-")[0])
        self._folder = folder
        self._arguments: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, changes: Mapping[str, str]) -> None:
        """Write the configuration and create an empty data directory.

        :param changes: what to replace in the example
        :raises unittest.SkipTest: Galera is not installed, and not required
        """
        if not _PROVIDER.exists():
            prerequisites.skip(f"{_PROVIDER} (galera-4) is not installed.")
        prerequisites.find_program("rsync")
        data = self._folder / "data"
        data.mkdir(parents=True)
        # The rsync daemon of root writes as an unprivileged user.
        data.chmod(0o777)
        path = examples.write("galera.cnf", self._folder, changes)
        options = _OPTIONS.format(
            folder=self._folder,
            port=self.port,
            cluster_port=self.cluster_port,
            # Incremental transfers use the port between them.
            transfer_port=self.cluster_port + 2,
        )
        path.write_text(path.read_text() + options)
        self._arguments = [f"--defaults-file={path}"]
        if os.geteuid() == 0:
            self._arguments.append("--user=root")

    def install(self) -> None:
        """Fill the data directory of the first node."""
        self._run(
            prerequisites.find_program("mariadb-install-db"),
            *self._arguments,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--wsrep-on=OFF",
        )

    def start(self, *arguments: str) -> None:
        """Start it.

        Like Debian's unit, it first finds out which changes it has, so that
        it receives only those that it lacks.
        """
        program = prerequisites.find_program("mariadbd")
        atexit.register(self.kill)
        if (self._folder / "data" / "ibdata1").exists():
            position = self._position(program)
            arguments = (*arguments, f"--wsrep-start-position={position}")
        self._process = subprocess.Popen(
            # The kernel kills it if the tests are killed.
            [
                *("setpriv", "--pdeathsig", "KILL"),
                *(program, *self._arguments, *arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def status(self, name: str) -> str | None:
        """Return a status variable, None if the node does not answer.

        :raises AssertionError: it has exited; has its log
        """
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(self.log)
        try:
            row = self.execute(f"SHOW STATUS LIKE '{name}'")
        except pymysql.MySQLError:
            return None
        return None if row is None else str(row[1])

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return (self._folder / "error.log").read_text(errors="replace")

    def execute(self, statement: str) -> tuple[object, ...] | None:
        """Execute a statement as root.

        :returns: its first row, None without any
        """
        # Unlike SQLAlchemy's, this connection does not begin with a statement
        # that a node without the majority refuses.
        with (
            pymysql.connect(
                host="127.0.0.1",
                port=self.port,
                user="root",
                autocommit=True,
                # Do not wait for other nodes.
                init_command="SET SESSION wsrep_sync_wait = 0",
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            row: tuple[object, ...] | None = cursor.fetchone()
            return row

    def kill(self) -> None:
        """Kill it, as a power failure would."""
        atexit.unregister(self.kill)
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def shut_down(self) -> None:
        """Stop it in the regular way."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(TIMEOUT)

    def freeze(self) -> None:
        """Suspend it; its connections remain."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume it; it joins the cluster again by itself."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def set_isolated(self, value: bool) -> None:
        """Cut it off from the other nodes, but not from clients, or not."""
        self.execute(
            f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={value:d}'"
        )

    def set_read_only(self, value: bool) -> None:
        """Refuse writes of ordinary users, or accept them."""
        self.execute(f"SET GLOBAL read_only = {value:d}")

    def _position(self, program: str) -> str:
        """Return the last change that its data contains."""
        log = self._folder / "recovery.log"
        log.unlink(missing_ok=True)
        self._run(
            *(program, *self._arguments),
            *("--wsrep-recover", f"--log-error={log}"),
        )
        text = log.read_text(errors="replace")
        found = re.search(r"Recovered position: (\S+)", text)
        if found is None:
            raise AssertionError(text)
        return found[1]

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            arguments,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise AssertionError(done.stdout.decode(errors="replace"))
