# SPDX-License-Identifier: Apache-2.0
"""Base classes of functional tests: a server and a database."""

import sys
import unittest
import uuid
from collections.abc import Callable
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import configuration, databases, servers
from console_api.tests.functional.client import Client, Reply
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.servers import Server
from console_api.tests.waiting import wait_until

# The values of Vary in a reply to an operation.
VERSION_HEADERS = ("OpenStack-API-Version", "X-OpenStack-Nova-API-Version")

#: An endpoint of each protocol.
ENDPOINTS = {
    "vnc": {"port": 5900},
    "spice": {"port": 5901, "tls_port": 5902},
    "rdp": {"port": 2179, "internal_access_path": "path-of-rdp"},
    "serial": {"port": 10000},
    "mks": {"port": 902, "internal_access_path": '{"ticket": "of-mks"}'},
}


def on_databases(*names: str) -> Callable[[type], None]:
    """Replace a test class with one class for each database.

    Their names end with the name of the database, which is therefore part of
    the id of each test.

    Unlike with testscenarios, the databases do not alternate test by test,
    so that the tests of one database share its servers, and a test class can
    inherit from a generated one.
    """

    def replace(cls: type) -> None:
        module = sys.modules[cls.__module__]
        for name in names:
            new = type(
                f"{cls.__name__}_{name}",
                (cls,),
                {"backend": name, "__module__": cls.__module__},
            )
            setattr(module, new.__name__, new)

    return replace


on_each_database = on_databases(*databases.NAMES)

#: For tests that need a server, which can be unavailable, for example.
on_database_servers = on_databases("mysql", "postgresql")


class DatabaseTestCase(unittest.TestCase):
    """Tests that need a database; see ``on_each_database``."""

    #: The name of the database.
    backend: ClassVar[str]

    def new_database(self) -> TestDatabase:
        """Create an empty database."""
        return databases.create(self.backend)

    def start_server(
        self,
        options: Options | None = None,
        database: TestDatabase | None = None,
        **kwargs,
    ) -> Server:
        """Start a server that is stopped after the test."""
        database = database or configuration.migrated(self.backend)
        server = servers.start(database, options, **kwargs)
        self.addCleanup(server.stop)
        return server

    def eventually(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; fail if it does not in time."""
        wait_until(condition)


class FunctionalTestCase(DatabaseTestCase):
    """Tests of the API, on a shared server.

    Each test has a project and a compute host of its own, so that tests do
    not affect each other.
    """

    #: Options of the server, in addition to the defaults of tests.
    options: ClassVar[Options] = {}

    #: Number of worker processes of the server.
    workers: ClassVar[int] = 1

    def setUp(self) -> None:
        super().setUp()
        self.database = configuration.migrated(self.backend)
        self.server = self.choose_server()
        self.project = uuid.uuid4().hex
        self.compute_host = f"compute-{uuid.uuid4().hex}"
        self.member = self.client("user")
        self.admin = self.client("admin")

    def choose_server(self) -> Server:
        """Return the server that the test sends requests to."""
        return servers.shared(self.backend, self.options, self.workers)

    def client(self, user: str | None, **kwargs) -> Client:
        """Return a client, by default of the test's project."""
        return self.server.client(
            **{"user": user, "project": self.project, **kwargs}
        )

    # Insert into and read from the database without the code under test.

    def make_server(self, **values) -> str:
        """Insert a server, by default with endpoints of all protocols.

        :param values: columns; ``endpoints`` are values by protocol
        :returns: its UUID
        """
        endpoints = values.pop("endpoints", ENDPOINTS)
        server = {
            "uuid": str(uuid.uuid4()),
            "project_id": self.project,
            "name": "web1",
            "instance_name": "instance-00000001",
            "compute_host": self.compute_host,
            **values,
        }
        rows = [
            {
                "server_id": server["uuid"],
                "protocol": protocol,
                "host": "192.0.2.10",
                "tls_port": None,
                "internal_access_path": None,
                **endpoint,
            }
            for protocol, endpoint in endpoints.items()
        ]
        with self.database.engine.begin() as connection:
            connection.execute(tables.servers.insert(), server)
            if rows:
                connection.execute(tables.server_endpoints.insert(), rows)
        return server["uuid"]

    def make_console_host(self, **values) -> str:
        """Insert a console host for the test's compute host.

        :returns: its name
        """
        host = f"console-{uuid.uuid4().hex}"
        ports = {"min_port": 20000, "max_port": 20009}
        if "multiplex_port" in values:
            ports = {}
        databases.insert_console_host(
            self.database,
            {
                "host": host,
                "console_type": "vnc+xvp",
                "public_hostname": f"{host}.example.org",
                "compute_hosts": self.compute_host,
                "enabled": True,
                "console_count": 0,
                **ports,
                **values,
            },
        )
        return host

    def change_console_host(self, host: str, **values) -> None:
        """Update a console host."""
        hosts = tables.console_hosts
        self.database.execute(
            hosts.update().where(hosts.c.host == host), values
        )

    def console_host(self, host: str, console_type="vnc+xvp") -> sa.Row:
        """Return the row of a console host."""
        hosts = tables.console_hosts
        [row] = self.database.rows(
            sa.select(hosts).where(
                hosts.c.host == host, hosts.c.console_type == console_type
            )
        )
        return row

    def console_rows(self, server_id: str) -> list[sa.Row]:
        """Return the consoles of a server, with the names of their hosts."""
        consoles, hosts = tables.consoles, tables.console_hosts
        return self.database.rows(
            sa.select(consoles, hosts.c.host)
            .join(hosts, hosts.c.id == consoles.c.console_host_id)
            .where(consoles.c.server_id == server_id)
            .order_by(consoles.c.id)
        )

    def count_tokens(self, server_id: str) -> int:
        """Return the number of console auth tokens of a server."""
        tokens = tables.console_auth_tokens
        return self.database.count(tokens, tokens.c.server_id == server_id)

    # Common requests.

    def make_console(self, **values) -> tuple[str, int]:
        """Create a server, a console host for it, and its console.

        :returns: the UUID of the server and the id of the console
        """
        server_id = self.make_server(**values)
        self.make_console_host()
        reply = self.admin.post(f"/servers/{server_id}/consoles")
        self.assertEqual(200, reply.status, reply.body)
        [row] = self.console_rows(server_id)
        return server_id, row.id

    def issue_token(
        self, server_id: str, protocol: str = "vnc", console_type="novnc"
    ) -> str:
        """Create a remote console and return the token in its URL."""
        reply = self.admin.post(
            f"/servers/{server_id}/remote-consoles",
            {"remote_console": {"protocol": protocol, "type": console_type}},
            version="2.99",
        )
        self.assertEqual(200, reply.status, reply.body)
        return token_of(reply.json["remote_console"]["url"])

    def log_lines(self, reply: Reply, *texts: str) -> list[str]:
        """Return the log lines of a request that contain all texts."""
        return [
            line
            for line in self.server.log.splitlines()
            if all(text in line for text in (reply.request_id, *texts))
        ]

    # Assertions.

    def assert_fault(
        self, reply: Reply, status: int, message: str | None = None
    ) -> None:
        """Assert that a reply is a fault in the common format."""
        self.assertEqual(status, reply.status, reply.body)
        self.assertEqual("application/json", reply.headers["Content-Type"])
        if message is None:
            self.assertTrue(reply.message)
        else:
            self.assertEqual(message, reply.message)

    def assert_version_headers(
        self, reply: Reply, version: str | None
    ) -> None:
        """Assert the microversion headers of a reply; None means no header."""
        found = [
            reply.headers.get_all(name, [])
            for name in (*VERSION_HEADERS, "Vary")
        ]
        if version is None:
            self.assertEqual([[], [], []], found)
        else:
            self.assertEqual(
                [[f"compute {version}, console {version}"], [version]],
                found[:2],
            )
            self.assertEqual([", ".join(VERSION_HEADERS)], found[2])

    def assert_not_logged(self, *secrets: str) -> None:
        """Assert that none of these is in the log of the server."""
        log = self.server.log
        for secret in secrets:
            for line in log.splitlines():
                if secret in line:
                    self.fail(f"{secret} is in the log: {line}")

    def each(self, table, check: Callable[..., None]) -> None:
        """Check each row of a table in a subtest."""
        for row in table:
            with self.subTest(row=repr(row)[:100]):
                check(*row)


def token_of(url: str) -> str:
    """Return the console auth token in an access URL."""
    query = parse_qs(urlsplit(url).query)
    if "token" in query:
        return query["token"][0]
    return parse_qs(urlsplit(query["path"][0]).query)["token"][0]
