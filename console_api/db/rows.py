# SPDX-License-Identifier: Apache-2.0
"""Rows to store: from dataclasses, and in batches."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

# The number of rows of one statement: well below the limits of all databases.
BATCH_SIZE = 500


def columns_of(row: "DataclassInstance") -> dict[str, Any]:
    """Return the fields of a dataclass as columns by name.

    ``dataclasses.asdict`` copies each value, which takes longer than some
    statements.
    """
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Iterate over items in lists of at most ``BATCH_SIZE``."""
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH_SIZE)):
        yield batch
