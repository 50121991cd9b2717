# SPDX-License-Identifier: Apache-2.0
"""Requests about the consoles of a server."""

from collections.abc import Mapping

from microversion_parse import Version

from console_api.api.schemas import Schema

_NUMBER: Mapping[str, object] = {
    "type": "string",
    "pattern": r"^[0-9]{1,18}\Z",
    "description": "is not a non-negative integer of at most 18 digits",
}

#: Unknown parameters are ignored, as in Nova 20.0.0.
LIST_QUERY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {"limit": _NUMBER, "marker": _NUMBER},
        }
    }
)
