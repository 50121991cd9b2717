# SPDX-License-Identifier: Apache-2.0
"""Checks of what other services say of a server, before it is believed."""

import re
from typing import Any

# Control characters, and halves of characters, which no database stores.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# As long as the columns that they go into.
_LENGTH = 255

_HIGHEST_PORT = 65535


def text(value: Any, name: str) -> str:
    """Check a text that is stored.

    :raises ValueError: it is none, or does not fit
    """
    if not isinstance(value, str) or not 1 <= len(value) <= _LENGTH:
        raise ValueError(f"{name} is {value!r:.40}")
    if _UNFIT.search(value):
        raise ValueError(f"{name} has characters that cannot be stored")
    return value


def port(value: Any, name: str) -> int:
    """Check the number of a TCP port.

    :raises ValueError: it is none
    """
    # True is an integer too.
    if type(value) is not int or not 1 <= value <= _HIGHEST_PORT:
        raise ValueError(f"{name} is {value!r:.40}")
    return value
