# SPDX-License-Identifier: Apache-2.0
"""PgBouncer between the service and PostgreSQL, with its defaults."""

import functools
import os

from console_api.tests import prerequisites
from console_api.tests.functional import (
    base,
    configuration,
    database_servers,
    databases,
)
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.services import Service
from console_api.tests.functional.test_concurrency import at_once
from console_api.tests.ports import free_port

_SETTINGS = """
[databases]
* = host={url.host} port={port} user={url.username}{password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
"""


class PgBouncerTestCase(base.FunctionalTestCase):
    backend = "postgresql"
    mode: str

    def choose_server(self):
        self.database = databases.create(self.backend)
        url = self.database.url
        port = free_port()
        settings = configuration.temporary_folder() / "pgbouncer.ini"
        settings.write_text(
            _SETTINGS.format(
                url=url,
                port=url.port or 5432,
                password=f" password={url.password}" if url.password else "",
                listen_port=port,
                mode=self.mode,
            )
        )
        arguments = [prerequisites.find_program("pgbouncer"), str(settings)]
        if os.geteuid() == 0:
            # It refuses to run as root, but reads the file before.
            arguments[1:1] = ["--user", database_servers.SYSTEM_USER]
        service = Service(*arguments, port=port)
        self.addCleanup(service.stop)
        pooled = TestDatabase(
            self.backend, url.set(host="127.0.0.1", port=port)
        )
        configuration.migrate(pooled)
        # A lock that was left to the connection would block this.
        configuration.migrate(pooled)
        return self.start_server(
            {"database": {"max_pool_size": "4"}}, database=pooled, threads=4
        )

    def test_all_operations_work(self):
        self.make_console_host()
        servers = [self.make_server() for _ in range(4)]
        for method, status in (("POST", 200), ("GET", 200)):
            replies = at_once(
                functools.partial(
                    self.admin.request, method, f"/servers/{server}/consoles"
                )
                for server in servers
            )
            self.assertEqual({status}, {reply.status for reply in replies})
        token = self.issue_token(servers[0])
        path = f"/os-console-auth-tokens/{token}"
        self.assertEqual(200, self.admin.get(path, version="2.99").status)
        health = self.client(None, prefix="").get("/healthcheck")
        self.assertEqual(200, health.status)


class SessionPoolingTest(PgBouncerTestCase):
    mode = "session"


class TransactionPoolingTest(PgBouncerTestCase):
    mode = "transaction"


del PgBouncerTestCase
