# SPDX-License-Identifier: Apache-2.0
"""How databases plan statements on large tables."""

import functools
import json
from unittest import mock

import sqlalchemy as sa

from console_api import conf
from console_api.db import prepared
from console_api.db.engine import Database
from console_api.tests.functional import base, bulk, configuration, databases

# Their rows are few, and a create reads all of them.
SMALL = {
    "console_hosts",
    "console_host_heartbeats",
    "console_gateways",
    "console_locks",
}


@functools.cache
def full_database(name):
    database = configuration.migrate(databases.create(name))
    bulk.fill(database)
    return database


def sqlite_scans(connection, statement, parameters):
    """Return what SQLite scans, by table or alias."""
    plan = connection.exec_driver_sql(
        f"EXPLAIN QUERY PLAN {statement}", parameters
    )
    # A subquery without a table is a constant row.
    return [
        row.detail
        for row in plan
        if row.detail.startswith("SCAN ") and row.detail != "SCAN CONSTANT ROW"
    ]


def mysql_scans(connection, statement, parameters):
    """Return what MariaDB reads in full: a table, or an index of it."""
    plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
    return [
        f"{row.type} {row.table}"
        for row in plan
        if row.type in ("ALL", "index")
    ]


def postgresql_scans(connection, statement, parameters):
    """Return what PostgreSQL scans: a table, or an index from end to end."""
    [[plan]] = connection.exec_driver_sql(
        f"EXPLAIN (FORMAT JSON) {statement}", parameters
    )
    if isinstance(plan, str):
        plan = json.loads(plan)
    found = []
    nodes = [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node["Node Type"] == "Seq Scan" or (
            node["Node Type"] in ("Index Scan", "Index Only Scan")
            and "Index Cond" not in node
        ):
            found.append(f"{node['Node Type']} {node['Relation Name']}")
    return found


SCANS = {
    "sqlite": sqlite_scans,
    "mysql": mysql_scans,
    "postgresql": postgresql_scans,
}


class PlanTestCase(base.DatabaseTestCase):
    """Tests that record statements on a full database."""

    #: Tables that may be scanned.
    small = SMALL

    def setUp(self):
        super().setUp()
        self.full = full_database(self.backend)
        folder = configuration.temporary_folder()
        self.database = Database(
            conf.load(configuration.write(folder, self.full))
        )
        self.addCleanup(self.database.close)
        self.recorded = {}
        for engine in (self.database._reader, self.database._writer):
            sa.event.listen(
                engine,
                "before_cursor_execute",
                lambda _connection, _cursor, *rest: self.record(*rest),
            )
        execute = prepared._execute

        def recorded_execute(engine, statement, parameters):
            self.record(statement, parameters)
            return execute(engine, statement, parameters)

        self.enterContext(
            mock.patch.object(prepared, "_execute", recorded_execute)
        )

    def record(self, statement, parameters, _context=None, many=False):
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            self.recorded[statement] = parameters[0] if many else parameters

    def scans(self, statement, parameters):
        with self.full.engine.connect() as connection:
            found = SCANS[self.backend](connection, statement, parameters)
            connection.rollback()
        return [scan for scan in found if not self.small & set(scan.split())]

    def assert_no_scans(self, at_least):
        """Assert that enough was recorded, and that nothing of it scans."""
        self.assertGreaterEqual(len(self.recorded), at_least, [*self.recorded])
        for statement, parameters in self.recorded.items():
            with self.subTest(statement):
                self.assertEqual([], self.scans(statement, parameters))
