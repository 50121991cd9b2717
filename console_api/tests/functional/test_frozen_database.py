# SPDX-License-Identifier: Apache-2.0
"""A database server that accepts everything and answers nothing."""

from unittest import mock

from console_api import conf, errors
from console_api.db import console_auth_tokens, heartbeats, pools, watchdog
from console_api.db.engine import Database
from console_api.db.heartbeats import AgentReport
from console_api.tests.functional import base, configuration
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.tcp_proxy import TCPProxy


@base.on_database_servers
class FrozenDatabaseTests(base.DatabaseTestCase):
    def setUp(self):
        super().setUp()
        url = configuration.migrated(self.backend).url
        port = url.port or {"mysql": 3306, "postgresql": 5432}[self.backend]
        self.proxy = TCPProxy(url.host, port)
        self.addCleanup(self.proxy.cut)
        limits = {"connect_timeout": "2"}
        if self.backend == "mysql":
            limits["read_timeout"] = "1"
        proxied = url.set(
            host="127.0.0.1", port=self.proxy.port
        ).update_query_dict(limits)
        for module, name, value in (
            (pools, "STATEMENT_TIMEOUT", 1),
            (watchdog, "_GRACE_TIME", 0.1),
            (watchdog, "_INTERVAL", 0.1),
        ):
            self.enterContext(mock.patch.object(module, name, value))
        folder = configuration.temporary_folder()
        self.code = Database(
            conf.load(
                configuration.write(
                    folder, TestDatabase(self.backend, proxied)
                )
            )
        )
        self.addCleanup(self.code.close)

    def read(self):
        console_auth_tokens.find(self.code, "unknown", 0)

    def write(self):
        heartbeats.record(self.code, 0, AgentReport("1.2.3", "vnc"))

    def test_statements_end(self):
        for operation in (self.read, self.write):
            with self.subTest(operation.__name__):
                operation()
                self.proxy.stall()
                with self.assertRaises(errors.DatabaseUnavailable):
                    operation()
                self.proxy.cut()
                self.proxy.restore()
                operation()
