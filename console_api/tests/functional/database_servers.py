# SPDX-License-Identifier: Apache-2.0
"""Database servers of a test's own, for what affects a whole server."""

import abc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.engine import URL

from console_api.tests import prerequisites
from console_api.tests.functional import configuration
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.services import Service
from console_api.tests.ports import free_port
from console_api.tests.waiting import wait_until

_DATABASE = "console_api"

# An account without the rights of an administrator, which may write to a
# server that is read-only.
_USER = "console_api"

#: The account of the system that runs programs that refuse to run as root.
SYSTEM_USER = "nobody"


class DatabaseServer(abc.ABC):
    """A server with a database that has the schema."""

    #: One of ``databases.NAMES``.
    name: ClassVar[str]
    #: Statements that create the account and the database.
    setup: ClassVar[Sequence[str]]
    #: Statements that make the server read-only, for all connections.
    demotion: ClassVar[Sequence[str]]

    def __init__(self) -> None:
        """Start the server.

        :raises unittest.SkipTest: it is not installed, and not required
        """
        # PostgreSQL cannot enter the folder of the tests as another user.
        self.folder = Path(tempfile.mkdtemp(prefix="console_api_test_"))
        self.port = free_port()
        try:
            self._service = self.start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        self._admin = sa.create_engine(
            self.admin_url,
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )
        wait_until(self._is_ready)
        self.execute(self.setup)
        self.database = configuration.migrate(
            TestDatabase(
                self.name,
                self.admin_url.set(username=_USER, database=_DATABASE),
            )
        )

    @property
    @abc.abstractmethod
    def admin_url(self) -> URL:
        """The URL of the administrator."""

    @abc.abstractmethod
    def start(self) -> Service:
        """Create the files of the server, and start it."""

    def _is_ready(self) -> bool:
        """Return whether it has started; PostgreSQL listens before."""
        try:
            self.execute(["SELECT 1"])
        except sa.exc.OperationalError:
            return False
        return True

    def execute(self, statements: Sequence[str]) -> None:
        """Execute statements as the administrator."""
        with self._admin.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def demote(self) -> None:
        """Make it read-only, as a switch-over to another server does."""
        self.execute(self.demotion)

    def stop(self) -> None:
        """Stop it and delete its files."""
        self.database.engine.dispose()
        self._service.stop()
        shutil.rmtree(self.folder)


class MariaDBServer(DatabaseServer):
    """A MariaDB server."""

    name = "mysql"
    setup = (
        f"CREATE DATABASE {_DATABASE} CHARACTER SET utf8mb4",
        f"CREATE USER {_USER}@localhost",
        f"GRANT ALL ON {_DATABASE}.* TO {_USER}@localhost",
    )
    demotion = ("SET GLOBAL read_only = 1",)

    @property
    def admin_url(self) -> URL:
        """The URL of the administrator."""
        return URL.create(
            "mysql+pymysql", "root", None, "127.0.0.1", self.port
        )

    def start(self) -> Service:
        """Create the files of the server, and start it."""
        arguments = [
            "--no-defaults",
            f"--datadir={self.folder}",
            "--innodb-buffer-pool-size=16M",
            "--innodb-log-file-size=8M",
            "--innodb-flush-log-at-trx-commit=0",
        ]
        if os.geteuid() == 0:
            arguments.append("--user=root")
        _run(
            prerequisites.find_program("mariadb-install-db"),
            *arguments,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )
        return Service(
            prerequisites.find_program("mariadbd"),
            *arguments,
            f"--port={self.port}",
            f"--socket={self.folder}/socket",
            "--bind-address=127.0.0.1",
            port=self.port,
        )


class PostgreSQLServer(DatabaseServer):
    """A PostgreSQL server."""

    name = "postgresql"
    setup = (
        f"CREATE ROLE {_USER} LOGIN",
        f"CREATE DATABASE {_DATABASE} OWNER {_USER}",
    )
    demotion = (
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    )

    @property
    def admin_url(self) -> URL:
        """The URL of the administrator."""
        return URL.create(
            "postgresql+psycopg2",
            username="postgres",
            host="127.0.0.1",
            port=self.port,
            database="postgres",
        )

    def start(self) -> Service:
        """Create the files of the server, and start it."""
        prefix = []
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            shutil.chown(self.folder, SYSTEM_USER)
            prefix = ["setpriv", f"--reuid={SYSTEM_USER}", "--clear-groups"]
        _run(
            *prefix,
            postgresql_program("initdb"),
            f"--pgdata={self.folder}/data",
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
        )
        return Service(
            *prefix,
            postgresql_program("postgres"),
            *("-D", f"{self.folder}/data"),
            *("-p", str(self.port)),
            *("-c", "listen_addresses=127.0.0.1"),
            *("-c", "unix_socket_directories="),
            *("-c", "fsync=off"),
            port=self.port,
        )


def postgresql_program(name: str) -> str:
    """Return the path of a program of the server.

    Debian has it in a folder per version.

    :raises unittest.SkipTest: it is not installed, and not required
    """
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else prerequisites.find_program(name)


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
        raise RuntimeError(done.stdout.decode(errors="replace"))
