# SPDX-License-Identifier: Apache-2.0
"""The schema that migrations make is the one that the code expects."""

import logging

import sqlalchemy as sa
from alembic import autogenerate, migration

from console_api import conf, errors
from console_api.db import schema, tables
from console_api.tests.functional import base, configuration
from console_api.tests.functional.test_concurrency import at_once

# Rows that keep all rules.
SERVER = {
    "uuid": "1",
    "project_id": "p",
    "name": "n",
    "instance_name": "i",
}
HOST = {
    "id": 1,
    "host": "h",
    "console_type": "vnc",
    "public_hostname": "h",
    "compute_hosts": "*",
    "min_port": 1,
    "max_port": 2,
    "multiplex_port": None,
    "enabled": True,
    "console_count": 0,
}
CONSOLE = {
    "server_id": "1",
    "console_host_id": 1,
    "console_type": "vnc",
    "instance_name": "i",
    "port": 1,
    "encrypted_password": "e",
    "created_at": 0,
}
ENDPOINT = {
    "server_id": "1",
    "protocol": "vnc",
    "host": "h",
    "port": 1,
}
TOKEN = {
    "token_hash": "t",
    "server_id": "1",
    "console_type": "novnc",
    "host": "h",
    "port": 1,
    "expires_at": 0,
}
OTHER_HOST = {**HOST, "id": 2, "host": "other"}

_hosts, _consoles = tables.console_hosts, tables.consoles
_endpoints = tables.server_endpoints

# Rows that break a rule, with the name of its constraint.
VIOLATIONS = (
    (_hosts, {**HOST, "id": 2}, "uniq_console_hosts0host0console_type"),
    (_hosts, {**OTHER_HOST, "min_port": None}, "ck_console_hosts_ports"),
    (_hosts, {**OTHER_HOST, "multiplex_port": 1}, "ck_console_hosts_ports"),
    (_hosts, {**OTHER_HOST, "min_port": 3}, "ck_console_hosts_port_range"),
    (_hosts, {**OTHER_HOST, "min_port": 0}, "ck_console_hosts_port_range"),
    (
        _hosts,
        {**OTHER_HOST, "max_port": 65536},
        "ck_console_hosts_port_range",
    ),
    (
        _hosts,
        {
            **OTHER_HOST,
            "min_port": None,
            "max_port": None,
            "multiplex_port": 0,
        },
        "ck_console_hosts_multiplex_port",
    ),
    (
        _hosts,
        {**OTHER_HOST, "console_count": -1},
        "ck_console_hosts_console_count",
    ),
    (_consoles, CONSOLE, "uniq_consoles0"),
    (
        _consoles,
        {**CONSOLE, "server_id": "2"},
        "uniq_consoles0console_host_id0port",
    ),
    (
        _consoles,
        {**CONSOLE, "port": 2},
        "uniq_consoles0server_id0console_type",
    ),
    (
        _consoles,
        {**CONSOLE, "server_id": "3", "port": 2},
        "fk_consoles_servers",
    ),
    (
        _consoles,
        {**CONSOLE, "server_id": "2", "console_host_id": 9},
        "fk_consoles_console_hosts",
    ),
    (
        _endpoints,
        {**ENDPOINT, "protocol": "x"},
        "ck_server_endpoints_protocol",
    ),
    (_endpoints, {**ENDPOINT, "port": 0}, "ck_server_endpoints_port"),
    (
        _endpoints,
        {**ENDPOINT, "tls_port": 65536},
        "ck_server_endpoints_tls_port",
    ),
    (
        _endpoints,
        {**ENDPOINT, "server_id": "3"},
        "fk_server_endpoints_servers",
    ),
    (
        tables.console_auth_tokens,
        {**TOKEN, "server_id": "3"},
        "fk_console_auth_tokens_servers",
    ),
)


def names(constraints):
    """Return the names of constraints that have one, sorted."""
    return sorted(filter(None, (each["name"] for each in constraints)))


@base.on_each_database
class MigrationTests(base.DatabaseTestCase):
    def setUp(self):
        super().setUp()
        self.database = self.new_database()
        self.conf = self.load()

    def load(self):
        folder = configuration.temporary_folder()
        return conf.load(configuration.write(folder, self.database))

    def reflect(self):
        """Return tables, and the names of constraints and indexes by table."""
        inspector = sa.inspect(self.database.engine)
        found = {}
        for table in inspector.get_table_names():
            if table == "alembic_version":
                continue
            found[table] = {
                "check": names(inspector.get_check_constraints(table)),
                "unique": names(inspector.get_unique_constraints(table)),
                "foreign key": names(inspector.get_foreign_keys(table)),
                "primary key": inspector.get_pk_constraint(table),
            }
        return found

    def test_sync_is_idempotent(self):
        self.assertIsNone(schema.version(self.conf))
        with self.assertRaises(errors.ConfigurationError):
            schema.check(self.conf)
        schema.sync(self.conf)
        first = self.reflect()
        self.assertEqual(schema.head(), schema.version(self.conf))
        schema.check(self.conf)
        schema.sync(self.conf)
        self.assertEqual(first, self.reflect())
        self.assertEqual(schema.head(), schema.version(self.conf))

    def test_sync_keeps_rows(self):
        schema.sync(self.conf)
        self.database.execute(
            tables.servers.insert(),
            {
                "uuid": "1",
                "project_id": "p",
                "name": "n",
                "instance_name": "i",
            },
        )
        schema.sync(self.conf)
        self.assertEqual(1, self.database.count(tables.servers))

    def test_concurrent_syncs(self):
        at_once([lambda: schema.sync(self.load())] * 2)
        self.assertEqual(schema.head(), schema.version(self.conf))

    def test_schema_matches_tables(self):
        schema.sync(self.conf)
        with self.database.engine.connect() as connection:
            context = migration.MigrationContext.configure(
                connection,
                opts={"compare_type": True, "compare_server_default": True},
            )
            self.assertEqual(
                [], autogenerate.compare_metadata(context, tables.metadata)
            )

    def test_constraints_are_named(self):
        schema.sync(self.conf)
        found = self.reflect()
        self.assertEqual(sorted(tables.metadata.tables), sorted(found))
        for table in tables.metadata.sorted_tables:
            for kind, constraint_class in (
                ("check", sa.CheckConstraint),
                ("unique", sa.UniqueConstraint),
                ("foreign key", sa.ForeignKeyConstraint),
            ):
                with self.subTest(table.name, kind=kind):
                    expected = sorted(
                        constraint.name
                        for constraint in table.constraints
                        if isinstance(constraint, constraint_class)
                    )
                    self.assertEqual(expected, found[table.name][kind])
            primary_key = found[table.name]["primary key"]
            self.assertEqual(
                [column.name for column in table.primary_key.columns],
                primary_key["constrained_columns"],
            )
            # MariaDB calls each of them PRIMARY; SQLite takes no name with
            # AUTOINCREMENT.
            if self.backend != "mysql" and not (
                self.backend == "sqlite"
                and table.dialect_options["sqlite"]["autoincrement"]
            ):
                self.assertEqual(table.primary_key.name, primary_key["name"])

    def test_constraints_are_enforced(self):
        """The database refuses what breaks a rule, by its name."""
        schema.sync(self.conf)
        execute = self.database.execute
        execute(tables.servers.insert(), [SERVER, {**SERVER, "uuid": "2"}])
        execute(tables.console_hosts.insert(), HOST)
        execute(tables.consoles.insert(), CONSOLE)
        # oslo.db logs a trace of what it does not know: checks of SQLite.
        self.addCleanup(logging.disable, logging.NOTSET)
        logging.disable()
        for table, row, name in VIOLATIONS:
            with self.subTest(name, row=row):
                with self.assertRaises(sa.exc.DBAPIError) as caught:
                    execute(table.insert(), row)
                # SQLite names columns of unique keys, and no foreign key.
                if self.backend != "sqlite" or name.startswith("ck_"):
                    self.assertIn(name, str(caught.exception.orig))
