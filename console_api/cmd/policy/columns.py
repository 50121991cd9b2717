# SPDX-License-Identifier: Apache-2.0
"""Columns that people read as text and programs as data."""

import textwrap
from collections.abc import Sequence
from typing import Any

from cliff import columns

from console_api.policy.callers import Caller
from console_api.policy.findings import printable
from console_api.policy.reach import MAX_CALLERS, Change

#: The formats for people; programs get data in the others.
TABLES = {"table", "markdown"}

#: Whose servers: of the caller's project, of other projects; or whatever
#: belongs to no project.
SERVERS = {True: "own", False: "other", None: "all"}

# Maximum width of a column of text, so that a table fits in 100 columns.
_WIDTH = 76


def wrap(text: str, width: int = _WIDTH) -> str:
    """Return a text in lines, without characters that control a terminal.

    Names and checks are not broken, because people search for and copy them.
    """
    return textwrap.fill(
        printable(text), width, break_long_words=False, break_on_hyphens=False
    )


class Text(columns.FormattableColumn[str | int | None]):
    """A sentence or a number, or none."""

    def __init__(self, value: str | int | None, width: int = _WIDTH) -> None:
        """Create the column with a maximum width."""
        super().__init__(value)
        self._width = width

    def human_readable(self) -> str:
        """Return the lines of the sentence."""
        if self._value is None:
            return ""
        return wrap(str(self._value), self._width)


class Lines(columns.FormattableColumn[Sequence[str]]):
    """A list, one item on each line."""

    def human_readable(self) -> str:
        """Return the items."""
        return "\n".join(map(printable, self._value))


class Attributes(columns.FormattableColumn[dict[str, Any]]):
    """Named values."""

    def human_readable(self) -> str:
        """Return the values with their names."""
        return wrap(
            "; ".join(
                f"{name}: {', '.join(value) or 'none'}"
                if isinstance(value, list)
                else f"{name}: {value}"
                for name, value in self._value.items()
            )
        )


class CallerColumn(columns.FormattableColumn[Caller | None]):
    """What matters of a caller; None if there is none."""

    def human_readable(self) -> str:
        """Return a description."""
        return "no one" if self._value is None else wrap(str(self._value))

    def machine_readable(self) -> Any:
        """Return an object with lists and other values."""
        return None if self._value is None else data(self._value)


class CallersColumn(columns.FormattableColumn[Sequence[Caller] | None]):
    """Alternatives, None if they are not known."""

    def __init__(
        self, value: Sequence[Caller] | None, empty: str = ""
    ) -> None:
        """Create the column.

        :param empty: what people read if there is no alternative
        """
        super().__init__(value)
        self._empty = empty

    def human_readable(self) -> str:
        """Return a line for each alternative."""
        if self._value == []:
            return self._empty
        return "\nor ".join(wrap(str(each)) for each in self._value or ())

    def machine_readable(self) -> Any:
        """Return a list of objects."""
        if self._value is None:
            return None
        return list(map(data, self._value))


class ChangedColumn(columns.FormattableColumn[Change]):
    """Who gains or loses by a change."""

    def human_readable(self) -> str:
        """Return a line for each group of callers."""
        return "\n".join(map(wrap, self._value.describe(MAX_CALLERS)))

    def machine_readable(self) -> Any:
        """Return a list of objects, each with its exceptions."""
        return [
            {
                **data(group.caller),
                "exceptions": list(map(data, group.exceptions)),
            }
            for group in self._value.audience.groups
        ]


def data(caller: Caller) -> dict[str, Any]:
    """Return a caller for programs."""
    return {
        "roles": list(caller.roles),
        "without_roles": list(caller.without),
        "service_roles": list(caller.service_roles),
        "attributes": dict(caller.attributes),
        "server_project": caller.server_project,
        "checks": list(caller.checks),
    }
