# SPDX-License-Identifier: Apache-2.0
"""Requests about sessions."""

from microversion_parse import Version

from console_api import values
from console_api.api.schemas import Schema
from console_api.api.schemas.consoles import ANY_UUID, LIMIT, TEXT
from console_api.values import SessionState

#: A UUID, as gateways choose for themselves and the API for sessions.
UUID = {
    "type": "string",
    "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z",
    "description": "is not a UUID in lowercase",
}

#: Printable characters without whitespace.
NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": values.MAX_NAME_LENGTH,
    "pattern": r"^[\x21-\x7e]+\Z",
    "description": "is not printable ASCII without whitespace",
}

_ADDRESS = {
    **NAME,
    "maxLength": values.MAX_ADDRESS_LENGTH,
}

_CREDENTIAL = {"type": "string", "minLength": 1, "maxLength": 1024}

OPEN_BODY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                "session": {
                    "type": "object",
                    "properties": {
                        "token": _CREDENTIAL,
                        "secret": _CREDENTIAL,
                        "connect": {"type": "boolean"},
                        "gateway_id": UUID,
                        "gateway": NAME,
                        "client_address": _ADDRESS,
                        "proxy_address": {
                            "anyOf": [_ADDRESS, {"type": "null"}]
                        },
                    },
                    "required": ["gateway_id", "gateway", "client_address"],
                    "additionalProperties": False,
                }
            },
            "required": ["session"],
            "additionalProperties": False,
        }
    }
)

#: Unknown parameters are refused: ignoring a misspelt filter would list more
#: than was asked for.
LIST_QUERY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                "all_projects": {"enum": ["true", "false"]},
                "server_id": ANY_UUID,
                "project_id": TEXT,
                "user_id": TEXT,
                "gateway": TEXT,
                "state": {"enum": [state.value for state in SessionState]},
                "limit": LIMIT,
                "marker": ANY_UUID,
            },
            "additionalProperties": False,
        }
    }
)
