# SPDX-License-Identifier: Apache-2.0
"""Endpoints of servers as operators write them: ``KEY=VALUE,...``."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from console_api import values
from console_api.cmd.arguments import number
from console_api.db.servers import Endpoint

#: Values that have been checked, by name.
Row = dict[str, Any]

#: What an endpoint consists of.
ENDPOINT_KEYS = (
    "protocol",
    "host",
    "port",
    "tls_port",
    "internal_access_path",
)

#: What an endpoint cannot do without.
REQUIRED_ENDPOINT_KEYS = ENDPOINT_KEYS[:3]

#: The check of each part of an endpoint.
ENDPOINT_CHECKS: Mapping[str, Callable[[object], str | int]] = {
    "protocol": values.protocol,
    "host": values.endpoint_host,
    "port": values.port,
    "tls_port": values.port,
    "internal_access_path": values.text,
}

# Where the next key begins; other commas belong to the value before.
_NEXT_KEY = re.compile(rf",(?=(?:{'|'.join(ENDPOINT_KEYS)})=)")


def parse_endpoint(text: str) -> Row:
    """Parse an endpoint; its optional parts are None if they are absent.

    :raises ValueError: it is malformed, or a value is invalid
    """
    given: dict[str, int | str] = {}
    for item in _NEXT_KEY.split(text):
        key, equals, content = item.partition("=")
        if key not in ENDPOINT_KEYS or not equals:
            raise ValueError(
                "must be KEY=VALUE pairs separated by commas, where KEY is "
                f"one of {', '.join(ENDPOINT_KEYS)}; {values.quoted(item)} "
                "is not"
            )
        if key in given:
            raise ValueError(f"must have {key} only once")
        given[key] = number(content) if key.endswith("port") else content
    return _check(given)


def endpoints_by_protocol(rows: Iterable[Row]) -> dict[str, Endpoint]:
    """Return checked endpoints as they are stored."""
    return {
        row["protocol"]: Endpoint(
            **{key: row[key] for key in ENDPOINT_KEYS if key != "protocol"}
        )
        for row in rows
    }


def _check(given: Mapping[str, int | str]) -> Row:
    checked: Row = dict.fromkeys(ENDPOINT_KEYS)
    for key in REQUIRED_ENDPOINT_KEYS:
        if key not in given:
            raise ValueError(f"must have {key}=")
    for key, content in given.items():
        try:
            checked[key] = ENDPOINT_CHECKS[key](content)
        except ValueError as error:
            raise ValueError(f"{key} {error}") from error
    return checked
