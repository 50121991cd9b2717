# SPDX-License-Identifier: Apache-2.0
"""Columns that people read as text and programs as data."""

import textwrap
from collections.abc import Sequence
from typing import Any

from cliff import columns

#: The formats for people; programs get data in the others.
TABLES = {"table", "markdown"}

#: Whose servers: of the caller's project, of other projects; or whatever
#: belongs to no project.
SERVERS = {True: "own", False: "other", None: "all"}

# Maximum width of a column of text, so that a table fits in 100 columns.
_WIDTH = 76


def wrap(text: str, width: int = _WIDTH) -> str:
    """Return a text in lines; names and checks are not broken."""
    return textwrap.fill(
        text, width, break_long_words=False, break_on_hyphens=False
    )


class Text(columns.FormattableColumn[str | int | None]):
    """A sentence or a number, or none."""

    def human_readable(self) -> str:
        """Return the lines of the sentence."""
        return "" if self._value is None else wrap(str(self._value))


class Lines(columns.FormattableColumn[Sequence[str]]):
    """A list, one item on each line."""

    def human_readable(self) -> str:
        """Return the items."""
        return "\n".join(self._value)


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
