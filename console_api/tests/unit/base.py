# SPDX-License-Identifier: Apache-2.0
"""Base classes and helpers of unit tests."""

import dataclasses
import functools
import json
import logging
import tempfile
import threading
import time
import unittest
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import webob
from oslo_config import cfg
from oslo_context import context as oslo_context

from console_api import conf as configuration
from console_api.api.service import Service
from console_api.db import (
    console_hosts,
    consoles,
    schema,
    servers,
    tables,
)
from console_api.db.console_hosts import ConsoleHostRow
from console_api.db.engine import Database
from console_api.db.heartbeats import AgentReport
from console_api.directory.base import Endpoint, Server
from console_api.keys import repository
from console_api.policy.enforcer import Enforcer
from console_api.tests.base_urls import BASE_URLS

PROJECT = "a0a0a0a0a0a04b4b8c8cd1d1d1d1d1d1"
OTHER_PROJECT = "b1b1b1b1b1b14c4c9d9de2e2e2e2e2e2"
UNKNOWN_SERVER = "ffffffff-ffff-4fff-8fff-ffffffffffff"

Sections = Mapping[str, Mapping[str, object]]


def server_id(number: int) -> str:
    """Return the UUID of a server by number."""
    return f"00000000-0000-4000-8000-{number:012d}"


SERVER = server_id(1)


def connection(folder: Path) -> str:
    """Return the URL of the database in a folder."""
    return f"sqlite:///{folder}/console_api.sqlite"


def write_conf(folder: Path, sections: Sections | None = None) -> Path:
    """Write a configuration that keeps all files inside its folder.

    :param sections: options by group, in addition to or instead of defaults
    """
    options: dict[str, dict[str, object]] = {
        "api": {"auth_strategy": "noauth2"},
        "database": {"connection": connection(folder)},
        "passwords": {"key_repository": folder / "keys"},
        "remote_consoles": {**BASE_URLS},
        # An absolute path, so that no file elsewhere is found.
        "oslo_policy": {"policy_file": folder / "policy.yaml"},
    }
    for group, values in (sections or {}).items():
        options.setdefault(group, {}).update(values)
    path = folder / "console_api.conf"
    path.write_text(
        "\n".join(
            f"[{group}]\n"
            + "".join(f"{key} = {value}\n" for key, value in values.items())
            for group, values in options.items()
        )
    )
    return path


def load_conf(
    folder: Path, sections: Sections | None = None
) -> cfg.ConfigOpts:
    """Write a configuration and load it."""
    write_conf(folder, sections)
    (folder / "policy.yaml").touch()
    return configuration.load(folder)


@functools.cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        schema.sync(load_conf(Path(name)))
        return (Path(name) / "console_api.sqlite").read_bytes()


class FolderCase(unittest.TestCase):
    """Gives each test a folder of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(
            self.enterContext(tempfile.TemporaryDirectory())
        ).resolve()
        # Expected log messages are not printed among the results.
        quiet = logging.NullHandler()
        logging.getLogger().addHandler(quiet)
        self.addCleanup(logging.getLogger().removeHandler, quiet)


def hurry(database: Database) -> None:
    """Turn off waiting for the disk; data need not survive a crash."""
    if database._writer.dialect.name != "sqlite":
        return

    @sa.event.listens_for(database._writer, "connect")
    def _disable(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")


class DatabaseCase(FolderCase):
    """Gives each test a database with the current schema."""

    def setUp(self) -> None:
        super().setUp()
        self.conf = load_conf(self.folder)
        self.prepare_database()
        self.database = self.open_database(self.conf)

    def prepare_database(self) -> None:
        """Create the database in the test's folder."""
        path = self.folder / "console_api.sqlite"
        path.write_bytes(_empty_database())

    def open_database(self, conf: cfg.ConfigOpts) -> Database:
        """Open a database that is closed after the test."""
        database = Database(conf)
        self.addCleanup(database.close)
        hurry(database)
        return database

    def add_server(
        self,
        uuid: str = SERVER,
        *,
        endpoints: Mapping[str, Mapping[str, Any]] | None = None,
        **values: Any,
    ) -> Server:
        """Insert a server and return it.

        :param endpoints: values by protocol
        """
        server = Server(
            **{
                "uuid": uuid,
                "project_id": PROJECT,
                "name": "mail",
                "instance_name": f"instance-{uuid[-8:]}",
                "compute_host": "compute-1",
                "endpoints": {
                    protocol: endpoint(**more)
                    for protocol, more in (endpoints or {}).items()
                },
                **values,
            }
        )
        servers.insert(self.database, [server])
        return server

    def add_token(
        self, token_hash: str, uuid: str = SERVER, expires_at: int = 100
    ) -> None:
        """Insert a console auth token for a server."""
        values = {
            **dataclasses.asdict(endpoint()),
            "server_id": uuid,
            "token_hash": token_hash,
            "console_type": "novnc",
            "expires_at": expires_at,
        }
        with self.database.transaction() as connection:
            connection.execute(tables.console_auth_tokens.insert(), values)

    def add_console_host(
        self, host: str = "console-1", **values: Any
    ) -> ConsoleHostRow:
        """Insert a console host and return its row.

        :param values: columns; by default, it has just been seen
        """
        seen_at = values.pop("last_seen_at", int(time.time()))
        console_hosts.insert(self.database, console_host(host, **values))
        console_type = values.get("console_type", "vnc")
        row = self.console_host(host, console_type)
        self.set_last_seen_at(row.id, seen_at)
        return self.console_host(host, console_type)

    def set_last_seen_at(self, host_id: int, seen_at: int | None) -> None:
        """Change the time of the last heartbeat of a console host."""
        heartbeats = tables.console_host_heartbeats
        with self.database.transaction() as connection:
            connection.execute(
                heartbeats.update().where(
                    heartbeats.c.console_host_id == host_id
                ),
                {"last_seen_at": seen_at},
            )

    def console_host(
        self, host: str = "console-1", console_type: str = "vnc"
    ) -> ConsoleHostRow:
        """Return the current row of a console host."""
        row = console_hosts.get(self.database, host, console_type)
        assert row is not None
        return row

    def add_console_and_token(self, uuid: str = SERVER) -> None:
        """Insert a console and a token for a server.

        The console is on a console host of its own.
        """
        consoles.insert(
            self.database,
            self.add_console_host(f"console-{uuid}"),
            new_console(uuid),
        )
        self.add_token(uuid, uuid, 2**40)

    def rows(self, table: sa.Table) -> Sequence[Any]:
        """Return all rows of a table, by primary key."""
        select = sa.select(table).order_by(*table.primary_key.columns)
        with self.database.transaction() as connection:
            return connection.execute(select).all()

    def expire_console(self, console_id: int) -> None:
        """Make a console expire that was created a moment ago."""
        consoles = tables.consoles
        with self.database.transaction() as connection:
            connection.execute(
                consoles.update()
                .where(consoles.c.id == console_id)
                .values(expires_at=consoles.c.created_at)
            )

    def assertCountsAreRight(self) -> None:
        """Assert that the counter of each console host is correct."""
        found = [row.console_host_id for row in self.rows(tables.consoles)]
        for row in self.rows(tables.console_hosts):
            self.assertEqual(found.count(row.id), row.console_count, row.host)


#: What an agent reports when it starts.
REPORT = AgentReport("1.2.3", "vnc")


def endpoint(**values: Any) -> Endpoint:
    """Return an endpoint."""
    return Endpoint(**{"host": "192.0.2.10", "port": 5901, **values})


def endpoint_row(protocol: str, uuid: str = SERVER) -> dict[str, Any]:
    """Return an endpoint as a row of its table."""
    return {
        "server_id": uuid,
        "protocol": protocol,
        **dataclasses.asdict(endpoint()),
    }


def new_console(uuid: str = SERVER, **values: Any) -> consoles.NewConsole:
    """Return a console to insert."""
    return consoles.NewConsole(
        **{
            "server_id": uuid,
            "instance_name": "instance-1",
            "encrypted_password": "encrypted",
            "lifetime": None,
            **values,
        }
    )


def console_host(
    host: str = "console-1", **values: Any
) -> console_hosts.NewConsoleHost:
    """Return a console host to insert."""
    return console_hosts.NewConsoleHost(
        **{
            "host": host,
            "console_type": "vnc",
            "public_hostname": f"{host}.example.org",
            "compute_hosts": ("compute-*",),
            "min_port": 5900,
            "max_port": 5909,
            "multiplex_port": None,
            **values,
        }
    )


@dataclass(frozen=True)
class Reply:
    """A response of an application."""

    status: int
    headers: webob.headers.ResponseHeaders
    body: bytes

    @property
    def json(self) -> Any:
        """The document in the body."""
        return json.loads(self.body)

    @property
    def fault(self) -> tuple[str, int, str]:
        """The key, code and message of the fault in the body."""
        [(key, fault)] = self.json.items()
        return key, fault["code"], fault["message"]


def call(
    application: Callable[..., Iterable[bytes]],
    method: str = "GET",
    path: str = "/",
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    environ: Mapping[str, Any] | None = None,
) -> Reply:
    """Send one request to a WSGI application."""
    request = webob.Request.blank(
        path,
        {"SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1"},
        method=method,
        headers=dict(headers or {}),
    )
    if body is not None:
        request.body = body
    request.environ.update(environ or {})
    status, reply_headers, chunks = request.call_application(application)
    content = b"".join(chunks)
    # WebOb writes a large body into a temporary file.
    getattr(request.environ["wsgi.input"], "close", int)()
    return Reply(
        int(status.split()[0]),
        webob.headers.ResponseHeaders(reply_headers),
        content,
    )


def identity(
    roles: str = "member", project: str = PROJECT, **more: str
) -> dict[str, str]:
    """Return the headers that an authentication filter sets."""
    return {
        "X-User-Id": "a-user",
        "X-Project-Id": project,
        "X-Roles": roles,
        **more,
    }


class ServiceCase(DatabaseCase):
    """Gives each test a service that is ready for requests."""

    def setUp(self) -> None:
        super().setUp()
        repository.setup(self.folder / "keys")
        self.service = self.make_service()
        self.addCleanup(forget_context)

    def make_service(self) -> Service:
        """Create a service that is closed after the test."""
        database = Database(self.conf)
        self.addCleanup(database.close)
        service = Service.from_conf(self.conf, Enforcer(self.conf), database)
        hurry(database)
        return service


def forget_context() -> None:
    """Remove the request context of this thread."""
    oslo_context._request_store = threading.local()
