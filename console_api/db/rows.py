# SPDX-License-Identifier: Apache-2.0
"""Rows to store, from dataclasses."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def columns_of(row: "DataclassInstance") -> dict[str, Any]:
    """Return the fields of a dataclass as columns by name.

    ``dataclasses.asdict`` copies each value, which takes longer than some
    statements.
    """
    return {name: getattr(row, name) for name in row.__dataclass_fields__}
