# SPDX-License-Identifier: Apache-2.0
"""Requests about consoles."""

from collections.abc import Mapping

from microversion_parse import Version

from console_api import values
from console_api.api.schemas import Schema
from console_api.values import ConsoleState

_NUMBER: Mapping[str, object] = {
    "type": "string",
    "pattern": r"^[0-9]{1,18}\Z",
    "description": "is not a non-negative integer of at most 18 digits",
}

#: The name of something.
TEXT: Mapping[str, object] = {
    "type": "string",
    "maxLength": values.MAX_NAME_LENGTH,
    "pattern": r"^[^\x00-\x1f\x7f]+\Z",
    "description": "is empty or contains control characters",
}

#: A UUID in lowercase or uppercase.
ANY_UUID: Mapping[str, object] = {
    "type": "string",
    "pattern": r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z",
    "description": "is not a UUID",
}

#: The maximum number of resources in a page.
LIMIT: Mapping[str, object] = {
    "type": "string",
    "pattern": r"^[1-9][0-9]{0,17}\Z",
    "description": "is not a positive integer of at most 18 digits",
}

#: Unknown parameters are refused: ignoring a misspelt filter would list more
#: than was asked for.
LIST_ALL_QUERY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                "all_projects": {"enum": ["true", "false"]},
                "server_id": ANY_UUID,
                "console_host": TEXT,
                "console_type": TEXT,
                "state": {"enum": [state.value for state in ConsoleState]},
                "limit": LIMIT,
                "marker": _NUMBER,
            },
            "additionalProperties": False,
        }
    }
)

#: Unknown parameters are ignored, as in Nova 20.0.0.
LIST_QUERY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {"limit": _NUMBER, "marker": _NUMBER},
        }
    }
)
