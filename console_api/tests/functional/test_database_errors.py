# SPDX-License-Identifier: Apache-2.0
"""Databases that are misconfigured: what operators and users are told."""

import secrets

from console_api.db import tables
from console_api.tests.functional import (
    base,
    configuration,
    databases,
)
from console_api.tests.functional.databases import TestDatabase

PASSWORD = "pAss-w0rd"

CREATE_USER = {
    "mysql": "CREATE USER {0}@'%%' IDENTIFIED BY '{1}'",
    "postgresql": "CREATE ROLE {0} LOGIN PASSWORD '{1}'",
}
GRANT = {
    "mysql": "GRANT SELECT ON {1}.* TO {0}@'%%'",
    "postgresql": "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0}",
}
DROP_USER = {
    "mysql": ["DROP USER {0}@'%%'"],
    "postgresql": ["DROP OWNED BY {0}", "DROP ROLE {0}"],
}


class MisconfigurationTestCase(base.FunctionalTestCase):
    def choose_server(self):
        self.database = configuration.migrate(databases.create(self.backend))
        self.user = f"console_api_test_{secrets.token_hex(4)}"
        self.execute(CREATE_USER, self.user, PASSWORD)
        self.addCleanup(self.execute_each, DROP_USER[self.backend])
        return self.start_as(self.user, PASSWORD)

    def execute(self, statements, *values):
        with self.database.engine.begin() as connection:
            connection.exec_driver_sql(
                statements[self.backend].format(*values)
            )

    def execute_each(self, statements):
        for statement in statements:
            self.execute({self.backend: statement}, self.user)

    def start_as(self, user, password, **changes):
        url = self.database.url.set(username=user, password=password)
        return self.start_server(
            database=TestDatabase(self.backend, url.set(**changes))
        )

    def assert_reported(self, reply, expected):
        """Assert that the log has one line about a request, and no secret."""
        self.assert_fault(reply, 503)
        [line] = self.log_lines(reply, " ERROR ")
        self.assertRegex(line, expected)
        self.assert_not_logged(PASSWORD, "Traceback")


@base.on_database_servers
class MisconfigurationTests(MisconfigurationTestCase):
    def test_missing_right_is_reported(self):
        self.execute(GRANT, self.user, self.database.url.database)
        self.server = self.start_as(self.user, PASSWORD)
        self.admin = self.client("admin")
        server_id = self.make_server()
        self.make_console_host()
        path = f"/servers/{server_id}/consoles"
        self.assertEqual(200, self.admin.get(path).status)
        self.assert_reported(self.admin.post(path), "lacks a right.*denied")

    def test_missing_tables_are_reported(self):
        self.server = self.start_server(database=self.database)
        self.admin = self.client("admin")
        tables.metadata.drop_all(self.database.engine)
        reply = self.admin.get("/os-console-auth-tokens/unknown")
        self.assert_reported(reply, "Run: console-api-manage db sync")

    def test_unknown_database_is_reported(self):
        self.server = self.start_as(
            self.database.url.username,
            self.database.url.password,
            database="console_api_test_no_such_database",
        )
        reply = self.client("admin").get("/os-console-auth-tokens/unknown")
        self.assert_reported(reply, "has no database with the name")


class WrongPasswordTest(MisconfigurationTestCase):
    """PostgreSQL often trusts connections from the same machine."""

    backend = "mysql"

    def test_wrong_password_is_reported(self):
        self.server = self.start_as(self.user, f"{PASSWORD}-wrong")
        reply = self.client("admin").get("/os-console-auth-tokens/unknown")
        self.assert_reported(reply, "refuses the user or the password")


del MisconfigurationTestCase
