# SPDX-License-Identifier: Apache-2.0
"""Checks of the values that operators give, before anything is written.

Each check takes a value as it came, returns it as it is stored, and raises
``InvalidInput`` with the rest of a sentence that begins with the value's
name.  Lengths are those of the columns.
"""

import json
import re
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any

from console_api import errors
from console_api.directory.base import PROTOCOLS, is_server_id

TEXT_LENGTH = 255
TYPE_LENGTH = 32
PATTERNS_LENGTH = 1024

HIGHEST_PORT = 65535

#: What an endpoint may have; the first three it must have.
ENDPOINT_KEYS = (
    "protocol",
    "host",
    "port",
    "tls_port",
    "internal_access_path",
)

# The categories of Unicode that a text must not have: control characters;
# invisible ones, by which two names may look alike or a line be shown in
# another order; halves of characters, which no database stores; line breaks.
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_BLANK = re.compile(r"\s")

# Where the next key of an endpoint begins; other commas belong to values.
_NEXT_KEY = re.compile(rf",(?=(?:{'|'.join(ENDPOINT_KEYS)})=)")

# How much of a wrong value a message repeats.
_SHOWN = 40


def text(value: object, limit: int = TEXT_LENGTH) -> str:
    """Check a text that must not be empty."""
    if not isinstance(value, str):
        raise errors.InvalidInput(f"must be a text, not {_shown(value)}")
    if not value:
        raise errors.InvalidInput("must not be empty")
    if len(value) > limit:
        raise errors.InvalidInput(
            f"must have at most {limit} characters, not {len(value)}"
        )
    if not _UNFIT.isdisjoint(map(unicodedata.category, value)):
        raise errors.InvalidInput(
            "must be of characters that can be shown, without line breaks, "
            "tabs or other control or invisible characters"
        )
    return value


def host(value: object) -> str:
    """Check the name or address of a host."""
    name = text(value)
    if _BLANK.search(name):
        raise errors.InvalidInput("must have no blanks")
    return name


def console_type(value: object) -> str:
    """Check a console type."""
    name = text(value, TYPE_LENGTH)
    if _BLANK.search(name):
        raise errors.InvalidInput("must have no blanks")
    return name


def server_id(value: object) -> str:
    """Check a UUID in the one form that the API knows."""
    if not isinstance(value, str):
        raise errors.InvalidInput(f"must be a text, not {_shown(value)}")
    if not is_server_id(value):
        raise errors.InvalidInput(
            f"must be a UUID like {uuid.UUID(int=0)}, in lower case, not "
            f"{_shown(value)}"
        )
    return value


def port(value: object) -> int:
    """Check a port number."""
    # True and False are integers too.
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not 1 <= value <= HIGHEST_PORT
    ):
        raise errors.InvalidInput(
            f"must be a number from 1 to {HIGHEST_PORT}, not {_shown(value)}"
        )
    return value


def number(value: str) -> int | str:
    """Return the number that a text stands for, or the text if for none."""
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else value


def port_argument(value: str) -> int:
    """Check a port number of the command line."""
    return port(number(value))


def ports_argument(value: str) -> dict[str, int | None]:
    """Check a range of ports, MIN-MAX."""
    low, dash, high = value.partition("-")
    if not dash:
        raise errors.InvalidInput(
            f"must be MIN-MAX, as 5900-5999, not {_shown(value)}"
        )
    first, last = port_argument(low), port_argument(high)
    if first > last:
        raise errors.InvalidInput("must begin with the lower port")
    return {"min_port": first, "max_port": last, "multiplex_port": None}


def multiplex_port_argument(value: str) -> dict[str, int | None]:
    """Check the one port of a multiplexed console host."""
    return {
        "min_port": None,
        "max_port": None,
        "multiplex_port": port_argument(value),
    }


def protocol(value: object) -> str:
    """Check the protocol of an endpoint."""
    if value not in PROTOCOLS:
        raise errors.InvalidInput(
            f"must be one of {', '.join(PROTOCOLS)}, not {_shown(value)}"
        )
    return str(value)


#: How each value of an endpoint is checked.
ENDPOINT_CHECKS = {
    "protocol": protocol,
    "host": host,
    "port": port,
    "tls_port": port,
    "internal_access_path": text,
}


def endpoint_argument(value: str) -> dict[str, Any]:
    """Check an endpoint of the command line: KEY=VALUE, by commas."""
    given: dict[str, int | str] = {}
    for item in _NEXT_KEY.split(value):
        key, equals, content = item.partition("=")
        if key not in ENDPOINT_KEYS or not equals:
            raise errors.InvalidInput(
                f"must be of KEY=VALUE by commas, where KEY is one of "
                f"{', '.join(ENDPOINT_KEYS)}; {_shown(item)} is not"
            )
        if key in given:
            raise errors.InvalidInput(f"must have {key} only once")
        given[key] = number(content) if key.endswith("port") else content
    return _endpoint(given)


def _endpoint(given: Mapping[str, int | str]) -> dict[str, Any]:
    checked: dict[str, Any] = dict.fromkeys(ENDPOINT_KEYS)
    for key in ENDPOINT_KEYS[:3]:
        if key not in given:
            raise errors.InvalidInput(f"must have {key}=")
    for key, content in given.items():
        try:
            checked[key] = ENDPOINT_CHECKS[key](content)
        except errors.InvalidInput as error:
            raise errors.InvalidInput(f"{key} {error}") from error
    return checked


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    # As JSON, so that nothing in it reaches the terminal as it is.
    words = json.dumps(value)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."
