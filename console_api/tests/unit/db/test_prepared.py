# SPDX-License-Identifier: Apache-2.0
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc as sa_exc

from console_api.db import prepared, tables
from console_api.tests.unit import base

_hosts = tables.console_hosts.c


class PreparedSelectTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.engine = self.database._reader

    def fetch(self, statement: sa.Select[Any], **parameters: object) -> Any:
        compiled = prepared.prepare(self.engine.dialect, statement)
        assert compiled is not None
        return [tuple(row) for row in compiled.fetch(self.engine, parameters)]

    def test_rows_are_those_of_sqlalchemy(self) -> None:
        self.add_console_host()
        statements: tuple[Any, ...] = (
            sa.select(_hosts.enabled, _hosts.host, _hosts.min_port),
            sa.select(tables.console_hosts).where(_hosts.enabled.is_(True)),
            sa.select(_hosts.host).where(_hosts.min_port == -1),
            sa.select(sa.func.count(), sa.literal("100%")),
        )
        for statement in statements:
            with self.subTest(str(statement)):
                with self.engine.connect() as connection:
                    rows = connection.execute(statement).all()
                found = self.fetch(statement)
                self.assertEqual(rows, found)
                self.assertEqual(
                    [[type(value) for value in row] for row in rows],
                    [[type(value) for value in row] for row in found],
                )

    def test_parameters_are_values_not_text(self) -> None:
        statement: Any = sa.select(
            sa.bindparam("a", type_=sa.String), sa.literal(1)
        )
        for text in ("'; --", "%s", ":a", "", "é"):
            self.assertEqual([(text, 1)], self.fetch(statement, a=text))

    def test_text_that_depends_on_parameters_is_not_prepared(self) -> None:
        statement = sa.select(_hosts.id).where(_hosts.id.in_([1, 2]))
        self.assertIsNone(prepared.prepare(self.engine.dialect, statement))
        self.assertEqual([], self.database.read(statement, int))

    def test_error_is_that_of_sqlalchemy(self) -> None:
        statement: Any = sa.select(sa.column("x")).select_from(
            sa.table("absent")
        )
        with (
            self.engine.connect() as connection,
            self.assertRaises(sa_exc.DBAPIError) as expected,
        ):
            connection.execute(statement)
        with self.assertRaises(sa_exc.DBAPIError) as caught:
            self.fetch(statement)
        self.assertIs(type(expected.exception), type(caught.exception))
        self.assertIn("absent", str(caught.exception))

    def test_parameters_are_not_in_errors(self) -> None:
        statement: Any = sa.select(
            sa.bindparam("a", type_=sa.String)
        ).select_from(sa.table("absent"))
        with self.assertRaises(sa_exc.DBAPIError) as caught:
            self.fetch(statement, a="secret hash")
        self.assertNotIn("secret", str(caught.exception))

    def test_connection_returns_to_the_pool_after_an_error(self) -> None:
        statement: Any = sa.select(sa.column("x")).select_from(
            sa.table("absent")
        )
        for _ in range(3):
            with self.assertRaises(sa_exc.DBAPIError):
                self.fetch(statement)
        pool = self.engine.pool
        assert isinstance(pool, sa.QueuePool)
        self.assertEqual(0, pool.checkedout())
