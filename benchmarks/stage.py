# SPDX-License-Identifier: Apache-2.0
"""A console_api to measure: its folder, its database, its rows.

The pipeline is the distribution's without ``authtoken``: the identity comes
from headers, as with Nova, and no Keystone is needed.  All settings are the
defaults.  By default, successful reads are not logged; because Nova logs each
request, ``logging_server`` returns a console_api that does as well.
"""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import sqlalchemy as sa
from oslo_log import log

from benchmarks import nova_cloud
from console_api import conf as configuration
from console_api.db import schema, tables
from console_api.keys import repository
from console_api.keys.repository import KeyRepository
from console_api.tokens.manager import hash_token

#: The folder of the checkout.
ROOT = Path(__file__).parents[1]

#: The project of every server, and of every caller.
PROJECT_ID = nova_cloud.ADMIN["X-Project-Id"]

#: How many tokens are looked up in turn.
TOKENS = 256

#: The port range of the only console host by default.
PORTS = (5_000, 65_535)

#: The password of every console.
PASSWORD = "Abcd1234"  # noqa: S105 - protects nothing

_DAY = 86_400
_HOST_ID = 1

Rows = Sequence[Mapping[str, object]]

# The default levels, except that successful reads are logged too.
_EACH_REQUEST = (
    *log.get_default_log_levels(),
    "console_api.api.middleware.request_log=DEBUG",
)

#: Subfolder with the configuration that logs each request.
LOGGING = "logging"

# Far from the ids that a database assigns to new consoles.
_FIRST_CONSOLE_ID = 1_000_000_000


def server_id(number: int) -> str:
    """Return the UUID of a server; consecutive ones are far apart."""
    return f"{number * 2_654_435_761 % 2**32:08x}-0000-4000-8000-000000000000"


def console_id(number: int) -> int:
    """Return the id of the initial console of a server."""
    return _FIRST_CONSOLE_ID + number


def token(number: int, kind: str = "valid") -> str:
    """Return a token; the database has only its hash."""
    return f"{kind}-{number:037d}"


class Stage:
    """A configured console_api whose rows can be restored."""

    def __init__(self, folder: Path, url: str, servers: int) -> None:
        """Create configuration, keys, schema and servers.

        :param url: an empty database
        :param servers: the number of servers to insert
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.absolute()
        self.url = url
        self.servers = servers
        self._engine = sa.create_engine(url)
        own_keys = self.folder / "keys"
        _write_configuration(self.folder, url, own_keys)
        logging = f"default_log_levels = {','.join(_EACH_REQUEST)}"
        _write_configuration(self.folder / LOGGING, url, own_keys, logging)
        schema.sync(configuration.load(self.folder))
        repository.setup(own_keys)
        self.encrypted_password = KeyRepository(own_keys).encrypt(PASSWORD)
        self._add_servers()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def set_screens(self, host: str, port: int, protocol: str = "vnc") -> None:
        """Set the only endpoint of every server to one address."""
        update = tables.server_endpoints.update()
        with self.transaction() as connection:
            connection.execute(
                update.values(host=host, port=port, protocol=protocol)
            )

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Return a connection in a transaction, for a ``with`` block."""
        return self._engine.begin()

    def set_host(
        self,
        consoles: int = 0,
        *,
        is_multiplexed: bool = False,
        ports: tuple[int, int] = PORTS,
    ) -> None:
        """Recreate the console host and its consoles.

        The consoles belong to the first servers.  Their ids are those of
        ``console_id``, their ports are random.

        :param consoles: the number of consoles
        :param is_multiplexed: whether the host has one port for all consoles
        :param ports: the lowest and the highest port
        """
        low, high = ports
        chosen: list[int | None] = [None] * consoles
        if not is_multiplexed:
            anywhere = random.Random(consoles)
            chosen = [*anywhere.sample(range(low, high), consoles)]
        rows = [
            {
                "id": console_id(number),
                "server_id": server_id(number),
                "console_host_id": _HOST_ID,
                "console_type": "vnc",
                "instance_name": f"instance-{number:08x}",
                "port": chosen[number],
                "encrypted_password": self.encrypted_password,
                "created_at": 0,
            }
            for number in range(consoles)
        ]
        host = {
            "id": _HOST_ID,
            "host": "console-1",
            "console_type": "vnc",
            "public_hostname": "console-1.example.org",
            "compute_hosts": "compute-*",
            "min_port": None if is_multiplexed else low,
            "max_port": None if is_multiplexed else high,
            "multiplex_port": low if is_multiplexed else None,
            "enabled": True,
            "console_count": consoles,
        }
        heartbeat = {
            "console_host_id": _HOST_ID,
            # In the far future: it stays up without an agent.
            "last_seen_at": 2**40,
        }
        self._empty(tables.consoles)
        with self._engine.begin() as connection:
            connection.execute(tables.console_changes.delete())
            connection.execute(tables.console_host_heartbeats.delete())
            connection.execute(tables.console_hosts.delete())
            connection.execute(tables.console_hosts.insert(), host)
            connection.execute(
                tables.console_host_heartbeats.insert(), heartbeat
            )
            _insert(connection, tables.consoles, rows)
        self._analyze(tables.consoles)

    def set_tokens(self) -> None:
        """Restore the valid and the expired tokens."""
        self._empty(tables.console_auth_tokens)
        self.add_tokens("valid", "expired")
        self._analyze(tables.console_auth_tokens)

    def add_tokens(self, *kinds: str) -> None:
        """Insert tokens that expire, or expired, a day from now.

        :param kinds: "valid", "expired" or both
        """
        now = int(time.time())
        with self._engine.begin() as connection:
            for kind in kinds:
                expires_at = now - _DAY if kind == "expired" else now + _DAY
                rows = _token_rows(kind, expires_at)
                _insert(connection, tables.console_auth_tokens, rows)

    def count(self, table: sa.Table) -> int:
        """Return the number of rows of a table."""
        with self._engine.connect() as connection:
            query = sa.select(sa.func.count()).select_from(table)
            return int(connection.execute(query).scalar_one())

    def _add_servers(self) -> None:
        numbers = range(self.servers)
        servers = [
            {
                "uuid": server_id(number),
                "project_id": PROJECT_ID,
                "name": f"server-{number}",
                "instance_name": f"instance-{number:08x}",
                "compute_host": f"compute-{number % 100}",
            }
            for number in numbers
        ]
        endpoints = [
            {
                "server_id": server_id(number),
                "protocol": "vnc",
                "host": "192.0.2.10",
                "port": 5900,
                "tls_port": None,
                "internal_access_path": None,
            }
            for number in numbers
        ]
        with self._engine.begin() as connection:
            _insert(connection, tables.servers, servers)
            _insert(connection, tables.server_endpoints, endpoints)
        self._analyze(tables.servers)
        self._analyze(tables.server_endpoints)

    def _empty(self, table: sa.Table) -> None:
        is_sqlite = self._engine.dialect.name == "sqlite"
        verb = "DELETE FROM" if is_sqlite else "TRUNCATE TABLE"
        with self._engine.begin() as connection:
            connection.exec_driver_sql(f"{verb} {table.name}")

    def _analyze(self, table: sa.Table) -> None:
        # Otherwise the statistics could be those of other rows.
        if self._engine.dialect.name == "postgresql":
            with self._engine.begin() as connection:
                connection.exec_driver_sql(f"ANALYZE {table.name}")


def _token_rows(kind: str, expires_at: int) -> list[dict[str, object]]:
    """Return the rows of tokens, each for another server."""
    return [
        {
            "token_hash": hash_token(token(number, kind).encode()),
            "server_id": server_id(number),
            "console_type": "novnc",
            "host": "192.0.2.10",
            "port": 5900,
            "expires_at": expires_at,
        }
        for number in range(TOKENS)
    ]


def _insert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, object]],
) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _write_configuration(
    folder: Path, url: str, key_repository: Path, more: str = ""
) -> None:
    folder.mkdir(exist_ok=True)
    # oslo.config would substitute a single dollar sign.
    text = url.replace("$", "$$")
    (folder / "console_api.conf").write_text(
        f"[DEFAULT]\n{more}\n"
        f"[database]\nconnection = {text}\n"
        f"[passwords]\nkey_repository = {key_repository}\n"
        "[remote_consoles]\nnovnc_base_url = http://127.0.0.1/vnc_auto.html\n"
    )
    shipped = ROOT / "etc" / "console_api" / "api-paste.ini"
    paste = shipped.read_text().replace(" authtoken ", " ")
    (folder / "api-paste.ini").write_text(paste)


@contextmanager
def open_stage(folder: Path, url: str, servers: int) -> Iterator[Stage]:
    """Create a ``Stage`` and close its connections at the end."""
    stage = Stage(folder, url, servers)
    try:
        yield stage
    finally:
        stage.close()
