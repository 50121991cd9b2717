# SPDX-License-Identifier: Apache-2.0
"""What all functional tests have: a server, a database, and things in it."""

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
from console_api.tests.functional.databases import ALWAYS_UP, TestDatabase
from console_api.tests.functional.servers import Server
from console_api.tests.waiting import wait_until

# A reply to an operation names these two, and no others, in Vary.
VERSION_HEADERS = ("OpenStack-API-Version", "X-OpenStack-Nova-API-Version")

#: One endpoint of each protocol, as a server can have them.
ENDPOINTS = {
    "vnc": {"port": 5900},
    "spice": {"port": 5901, "tls_port": 5902},
    "rdp": {"port": 2179, "internal_access_path": "path-of-rdp"},
    "serial": {"port": 10000},
    "mks": {"port": 902, "internal_access_path": '{"ticket": "of-mks"}'},
}


def on_databases(*names: str) -> Callable[[type], None]:
    """Put one class a database in the place of a class of tests.

    Their names end with the name of the database, so that it is in the id
    of each test.
    """

    def replace(cls: type) -> None:
        module = sys.modules[cls.__module__]
        for name in names:
            made = type(
                f"{cls.__name__}_{name}",
                (cls,),
                {"backend": name, "__module__": cls.__module__},
            )
            setattr(module, made.__name__, made)

    return replace


on_each_database = on_databases(*databases.NAMES)

#: For tests of what only a database server can do: be away, for one.
on_database_servers = on_databases("mysql", "postgresql")


class DatabaseTestCase(unittest.TestCase):
    """Tests that need one of the databases; see ``on_each_database``."""

    #: The name of the database.
    backend: ClassVar[str]

    def new_database(self) -> TestDatabase:
        """Make an empty database."""
        return databases.create(self.backend)

    def start_server(
        self,
        options: Options | None = None,
        database: TestDatabase | None = None,
        **kwargs,
    ) -> Server:
        """Start a server that ends with the test."""
        database = database or configuration.migrated(self.backend)
        server = servers.start(database, options, **kwargs)
        self.addCleanup(server.stop)
        return server

    def eventually(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; fail if it does not in time."""
        wait_until(condition)


class FunctionalTestCase(DatabaseTestCase):
    """Tests of the API, on a server that they share.

    Each test has a project, an id of a compute host and all that it makes
    for itself, so that tests neither see nor disturb each other.
    """

    #: Options of the server beyond those that all have.
    options: ClassVar[Options] = {}

    #: How many worker processes the server has.
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
        """Return the server that the test talks to."""
        return servers.shared(self.backend, self.options, self.workers)

    def client(self, user: str | None, **kwargs) -> Client:
        """Return a client, of the test's project unless told otherwise."""
        return self.server.client(
            **{"user": user, "project": self.project, **kwargs}
        )

    # What the database holds, put there aside from the code under test.

    def make_server(self, **values) -> str:
        """Store a server with all endpoints, unless told otherwise.

        :returns: its uuid
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
        """Store a console host for the test's compute host.

        :returns: its name
        """
        host = f"console-{uuid.uuid4().hex}"
        ports = {"min_port": 20000, "max_port": 20009}
        if "multiplex_port" in values:
            ports = {}
        self.database.execute(
            tables.console_hosts.insert(),
            {
                "host": host,
                "console_type": "vnc+xvp",
                "public_hostname": f"{host}.example.org",
                "compute_hosts": self.compute_host,
                "enabled": True,
                "console_count": 0,
                "last_seen_at": ALWAYS_UP,
                **ports,
                **values,
            },
        )
        return host

    def change_console_host(self, host: str, **values) -> None:
        """Change a console host."""
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
        """Return the rows of a server's consoles, with their hosts' names."""
        consoles, hosts = tables.consoles, tables.console_hosts
        return self.database.rows(
            sa.select(consoles, hosts.c.host)
            .join(hosts, hosts.c.id == consoles.c.console_host_id)
            .where(consoles.c.server_id == server_id)
            .order_by(consoles.c.id)
        )

    def count_tokens(self, server_id: str) -> int:
        """Return how many console auth tokens of a server are stored."""
        tokens = tables.console_auth_tokens
        return self.database.count(tokens, tokens.c.server_id == server_id)

    # What tests do all the time.

    def make_console(self, **values) -> tuple[str, int]:
        """Make a server, a console host for it, and its console.

        :returns: the server's uuid, and the console's id
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
        """Create a remote console and take the token from its URL."""
        reply = self.admin.post(
            f"/servers/{server_id}/remote-consoles",
            {"remote_console": {"protocol": protocol, "type": console_type}},
            version="2.99",
        )
        self.assertEqual(200, reply.status, reply.body)
        return token_of(reply.json["remote_console"]["url"])

    def log_lines(self, reply: Reply, *texts: str) -> list[str]:
        """Return the lines on a request in the log that have some texts."""
        return [
            line
            for line in self.server.log.splitlines()
            if all(text in line for text in (reply.request_id, *texts))
        ]

    # What tests assert.

    def assert_fault(
        self, reply: Reply, status: int, message: str | None = None
    ) -> None:
        """Assert that a reply is a fault in the form of all faults."""
        self.assertEqual(status, reply.status, reply.body)
        self.assertEqual("application/json", reply.headers["Content-Type"])
        if message is None:
            self.assertTrue(reply.message)
        else:
            self.assertEqual(message, reply.message)

    def assert_version_headers(
        self, reply: Reply, version: str | None
    ) -> None:
        """Assert what a reply says of its microversion; None: nothing."""
        found = [
            reply.headers.get_all(name, [])
            for name in (*VERSION_HEADERS, "Vary")
        ]
        if version is None:
            self.assertEqual([[], [], []], found)
        else:
            self.assertEqual([[f"compute {version}"], [version]], found[:2])
            self.assertEqual([", ".join(VERSION_HEADERS)], found[2])

    def assert_not_logged(self, *secrets: str) -> None:
        """Assert that the server's log holds none of these."""
        log = self.server.log
        for secret in secrets:
            for line in log.splitlines():
                if secret in line:
                    self.fail(f"{secret} is in the log: {line}")

    def each(self, table, check: Callable[..., None]) -> None:
        """Check each row of a table, and name those that fail."""
        for row in table:
            with self.subTest(row=repr(row)[:100]):
                check(*row)


def token_of(url: str) -> str:
    """Return the console auth token that an access URL carries."""
    query = parse_qs(urlsplit(url).query)
    if "token" in query:
        return query["token"][0]
    return parse_qs(urlsplit(query["path"][0]).query)["token"][0]
