# SPDX-License-Identifier: Apache-2.0
"""Requests on the consoles of a server."""

from typing import Any

from microversion_parse import Version

from console_api.api.schemas import Schema

_NUMBER: dict[str, Any] = {
    "type": "string",
    "pattern": r"^[0-9]{1,18}\Z",
    "description": "is not a whole number of at most 18 digits",
}

#: Parameters that are not known here are ignored, as they always were.
LIST_QUERY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {"limit": _NUMBER, "marker": _NUMBER},
        }
    }
)
