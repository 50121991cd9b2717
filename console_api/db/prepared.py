# SPDX-License-Identifier: Apache-2.0
"""Constant SELECT statements, compiled once and run by the driver itself.

SQLAlchemy compiles them, and its pool provides the connections.  Its own
execution of a statement on a new ``Connection`` takes three times as long as
that of the driver, which is most of the time of a short read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import Dialect, Engine

from console_api.db import failures

_Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class PreparedSelect:
    """A SELECT as the driver of an engine executes it.

    ``parameters`` are the default values by name, ``order`` are the names of
    positional parameters if the driver uses those.  ``processors`` convert
    columns whose Python type is not that of the driver, by their index.
    """

    text: str
    parameters: Mapping[str, object]
    order: Sequence[str] | None
    processors: Sequence[tuple[int, _Processor]]

    def fetch(
        self, engine: Engine, parameters: Mapping[str, object] | None
    ) -> list[Sequence[Any]]:
        """Return all rows.

        :raises sqlalchemy.exc.DBAPIError: as SQLAlchemy would raise it; its
            connection, if it is useless, was discarded
        """
        values: Any = {**self.parameters, **(parameters or {})}
        if self.order is not None:
            values = tuple([values[name] for name in self.order])
        return self._process(_execute(engine, self.text, values))

    def _process(self, rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        if not self.processors:
            return rows
        processed: list[Sequence[Any]] = []
        for row in rows:
            columns = list(row)
            for index, process in self.processors:
                columns[index] = process(columns[index])
            processed.append(columns)
        return processed


def prepare(
    dialect: Dialect, statement: sa.Select[Any]
) -> PreparedSelect | None:
    """Compile a SELECT, None if its text depends on its parameters."""
    compiled = statement.compile(dialect=dialect)
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    processors = [
        column.type.dialect_impl(dialect).result_processor(dialect, None)
        for column in statement.selected_columns
    ]
    return PreparedSelect(
        compiled.string,
        compiled.params,
        compiled.positiontup if compiled.positional else None,
        [
            (index, process)
            for index, process in enumerate(processors)
            if process is not None
        ],
    )


def _execute(engine: Engine, text: str, values: Any) -> list[Sequence[Any]]:
    driver_error = engine.dialect.loaded_dbapi.Error
    connection = None
    try:
        connection = engine.raw_connection()
        cursor = connection.cursor()
        cursor.execute(text, values)
        # A tuple in some drivers.
        rows = list(cursor.fetchall())
        cursor.close()
        connection.close()
    except BaseException as error:
        if not isinstance(error, driver_error):
            # A signal, for example: the state of the connection is unknown.
            if connection is not None:
                connection.invalidate(error)
            raise
        # What the event handlers of the engine do with an error.
        is_lost = engine.dialect.is_disconnect(
            error, connection, None
        ) or failures.requires_new_connection(error)
        if connection is not None:
            if is_lost:
                connection.invalidate(error)
            connection.close()
        raise sa_exc.DBAPIError.instance(
            text,
            None,
            error,
            driver_error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=engine.dialect,
        ) from error
    return rows
