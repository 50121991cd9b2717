# SPDX-License-Identifier: Apache-2.0
"""Reports of gateways on their sessions."""

from collections.abc import Mapping

from microversion_parse import Version

from console_api import values
from console_api.api.schemas import Schema
from console_api.api.schemas.console_sessions import NAME, UUID

# More than a worker of a gateway has sessions.
_MAX_SESSIONS = 20_000

_COUNT = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}

_TRAFFIC = {"id": UUID, "bytes_in": _COUNT, "bytes_out": _COUNT}


def _sessions(more: Mapping[str, object]) -> Mapping[str, object]:
    properties = {**_TRAFFIC, **more}
    return {
        "type": "array",
        "maxItems": _MAX_SESSIONS,
        "items": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
    }


UPDATE_BODY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                "gateway": {
                    "type": "object",
                    "properties": {
                        "name": NAME,
                        "interval": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 60,
                        },
                        "complete": {"type": "boolean"},
                        "first": UUID,
                        "last": UUID,
                        "sessions": _sessions({"idle_seconds": _COUNT}),
                    },
                    "required": ["name", "interval", "complete", "sessions"],
                    "additionalProperties": False,
                }
            },
            "required": ["gateway"],
            "additionalProperties": False,
        }
    }
)

CLOSE_BODY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                "sessions": _sessions(
                    {
                        "reason": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": values.MAX_CLOSE_REASON_LENGTH,
                            "pattern": r"^[a-z_]+\Z",
                            "description": "is not in lowercase letters and "
                            "underscores",
                        }
                    }
                )
            },
            "required": ["sessions"],
            "additionalProperties": False,
        }
    }
)
