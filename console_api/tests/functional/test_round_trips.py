# SPDX-License-Identifier: Apache-2.0
"""How often each operation waits for the database; fails when one is added.

Counted on the wire, so that what libraries send of themselves (pings, ends
of transactions) counts as well.
"""

from console_api.tests.functional import base, configuration, databases
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.tcp_proxy import TCPProxy

#: The commit, and PostgreSQL's begin.
TRANSACTION = {"mysql": 1, "postgresql": 2}


def expected(backend: str) -> dict[str, int]:
    """Return the round trips of each operation on a database.

    A read is one round trip; a write is a transaction and its statements.
    """
    transaction = TRANSACTION[backend]
    return {
        "look a token up": 1,
        "list": 2,
        "list console hosts": 1,
        "show": 2,
        # The server, its consoles, the console hosts; count, port, insert,
        # record.
        "create": 3 + 4 + transaction,
        "create again": 3,
        # The server, the console; count, delete, record.
        "delete": 2 + 3 + transaction,
        # The server; insert.
        "create a token": 1 + 1 + transaction,
    }


class RoundTripsTestCase(base.FunctionalTestCase):
    def choose_server(self):
        self.database = configuration.migrate(databases.create(self.backend))
        url = self.database.url
        port = url.port or {"mysql": 3306, "postgresql": 5432}[self.backend]
        self.proxy = TCPProxy(url.host, port)
        self.addCleanup(self.proxy.cut)
        proxied = url.set(host="127.0.0.1", port=self.proxy.port)
        # One thread, and so one connection for reads and one for writes.
        return self.start_server(
            database=TestDatabase(self.backend, proxied), threads=1
        )

    def count(self, method: str, path: str, status: int, **kwargs) -> int:
        before = self.proxy.round_trips
        reply = self.admin.request(method, path, version="2.31", **kwargs)
        self.assertEqual(status, reply.status, reply.body)
        return self.proxy.round_trips - before

    def count_all(self) -> dict[str, int]:
        """Do each operation once, on a server of its own."""
        server = f"/servers/{self.make_server()}"
        consoles = f"{server}/consoles"
        token = "/os-console-auth-tokens/unknown"
        remote = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        counts = {
            "look a token up": self.count("GET", token, 404),
            "create": self.count("POST", consoles, 200),
            "create again": self.count("POST", consoles, 200),
            "list": self.count("GET", consoles, 200),
            "list console hosts": self.count("GET", "/os-console-hosts", 200),
            "create a token": self.count(
                "POST", f"{server}/remote-consoles", 200, body=remote
            ),
        }
        [entry] = self.admin.get(consoles).json["consoles"]
        path = f"{consoles}/{entry['console']['id']}"
        counts["show"] = self.count("GET", path, 200)
        counts["delete"] = self.count("DELETE", path, 202)
        return counts

    def test_operations_have_minimal_round_trips(self):
        # A wide range: the port that is tried first is then a free one.
        self.make_console_host(min_port=1024, max_port=65535)
        self.count_all()  # Connects, which costs round trips of its own.
        self.assertEqual(expected(self.backend), self.count_all())


class RoundTripsTest_mysql(RoundTripsTestCase):  # noqa: N801
    backend = "mysql"


class RoundTripsTest_postgresql(RoundTripsTestCase):  # noqa: N801
    backend = "postgresql"


del RoundTripsTestCase
