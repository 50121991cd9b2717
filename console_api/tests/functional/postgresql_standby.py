# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL primary and a standby behind HAProxy, for tests.

The configuration is that of the guide "PostgreSQL with a standby", with other
addresses, ports and paths.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from console_api.tests.functional.database_proxy import DatabaseProxy
from console_api.tests.functional.database_servers import SYSTEM_USER
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.failover import Event
from console_api.tests.functional.postgresql_server import Server
from console_api.tests.waiting import wait_until

# The addresses of the servers in the examples.
_SERVERS = {"db1": "198.51.100.31", "db2": "198.51.100.32"}

_DATABASE = "console_api"
_PASSWORD = "secret"


class PostgreSQLStandby:
    """Two servers, of which HAProxy uses the primary."""

    switches_back = False

    def __init__(self) -> None:
        """Start the servers and HAProxy."""
        # PostgreSQL cannot enter the folder of the tests as another user.
        self._folder = Path(tempfile.mkdtemp(prefix="console_api_test_"))
        atexit.register(self._delete)
        if os.geteuid() == 0:
            shutil.chown(self._folder, SYSTEM_USER)
        self.primary, self.standby = (
            Server(self._folder / name, name) for name in _SERVERS
        )
        for server in (self.primary, self.standby):
            server.configure(
                {
                    "cluster_name = 'db1'": f"cluster_name = '{server.name}'",
                    ",198.51.100.31'": "'",
                    "wal_keep_size = 1GB": "wal_keep_size = 64MB",
                }
            )
        self.primary.install()
        self.primary.start()
        self.primary.psql("postgresql-alone.sql")
        self.primary.psql("postgresql.sql")
        self._join()
        self._proxy = DatabaseProxy(
            "haproxy-postgresql.cfg",
            {
                f"{_SERVERS[server.name]}:5432": f"127.0.0.1:{server.port}"
                for server in (self.primary, self.standby)
            },
        )
        wait_until(lambda: self.writer == self.primary.name)

    def stop(self) -> None:
        """Kill the servers and stop HAProxy."""
        for server in (self.primary, self.standby):
            server.kill()
        self._proxy.stop()
        self._delete()

    def _delete(self) -> None:
        atexit.unregister(self._delete)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def writer(self) -> str | None:
        """The server that new connections reach, None without any."""
        return self._proxy.writer

    @property
    def is_settled(self) -> bool:
        """Whether there is a writer: the other server may be missing."""
        return self.writer is not None

    @property
    def database(self) -> TestDatabase:
        """The database through HAProxy."""
        return _database(self._proxy.port)

    def replicas(self) -> Sequence[TestDatabase]:
        """Return the database on both servers, when both have all changes."""
        position = self.primary.value("SELECT pg_current_wal_lsn()")
        query = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        wait_until(lambda: self.standby.value(query))
        return [database(self.primary), database(self.standby)]

    def events(self) -> Sequence[Event]:
        """Return all kinds of events."""
        return [
            Event("kill", lambda: self.lose_primary(Server.kill), self._join),
            Event(
                "freeze", lambda: self.lose_primary(Server.freeze), self._thaw
            ),
            Event(
                "read-only",
                lambda: self.lose_primary(_make_read_only),
                self.rejoin,
            ),
            Event(
                "maintenance",
                lambda: self.lose_primary(Server.shut_down),
                self._join,
            ),
            Event(
                "standby killed",
                lambda: self._lose_standby(Server.kill),
                self._restart_standby,
                keeps_writer=True,
            ),
            Event(
                "standby frozen",
                lambda: self._lose_standby(Server.freeze),
                self._thaw_standby,
                keeps_writer=True,
            ),
        ]

    def lose_primary(self, failure: Callable[[Server], None]) -> None:
        """Promote the standby after a failure of the primary.

        :param failure: makes the primary fail
        """
        failure(self.primary)
        wait_until(lambda: self.writer is None)
        self.standby.psql("postgresql-promote.sql")
        self.primary, self.standby = self.standby, self.primary

    def _thaw(self) -> None:
        """Resume the former primary, which must not be used any more."""
        self.standby.thaw()
        wait_until(lambda: state(self.standby) == "no synchronous standby")
        self.rejoin()

    def rejoin(self) -> None:
        """Stop the former primary and make it the standby."""
        self.standby.shut_down()
        self._join()

    def _join(self) -> None:
        """Make the server that is stopped the standby."""
        self.standby.join(self.primary)
        self._replicate()

    def _replicate(self) -> None:
        """Replicate synchronously again."""
        wait_until(self._try_to_replicate)
        wait_until(lambda: self._replication("sync_state") == "sync")

    def _try_to_replicate(self) -> bool:
        """Try it as the example says: again, until the standby streams."""
        try:
            self.primary.psql("postgresql-replicate.sql")
        except AssertionError as error:
            if "not streaming yet" not in str(error):
                raise
            return False
        return True

    def _replication(self, column: str) -> object:
        return self.primary.value(f"SELECT {column} FROM pg_stat_replication")

    def _lose_standby(self, failure: Callable[[Server], None]) -> None:
        """Continue without the standby after its failure."""
        failure(self.standby)
        wait_until(lambda: self.writer is None)
        self.primary.psql("postgresql-alone.sql")

    def _restart_standby(self) -> None:
        self.standby.start()
        self._replicate()

    def _thaw_standby(self) -> None:
        self.standby.thaw()
        self._replicate()


def state(server: Server) -> object:
    """Return what a server answers to the health check."""
    return server.value("SELECT writer_state()", _DATABASE)


def database(server: Server) -> TestDatabase:
    """Return the database on one of the servers."""
    return _database(server.port)


def _make_read_only(server: Server) -> None:
    server.value("ALTER SYSTEM SET default_transaction_read_only = on")
    server.value("SELECT pg_reload_conf()")


def _database(port: int) -> TestDatabase:
    return TestDatabase(
        "postgresql",
        URL.create(
            "postgresql+psycopg2",
            "console_api",
            _PASSWORD,
            "127.0.0.1",
            port,
            _DATABASE,
        ),
    )
