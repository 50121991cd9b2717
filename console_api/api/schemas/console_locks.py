# SPDX-License-Identifier: Apache-2.0
"""Requests about locks."""

from microversion_parse import Version

from console_api import values
from console_api.api.schemas import Schema

UPDATE_BODY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                "lock": {
                    "type": "object",
                    "properties": {
                        "reason": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": values.MAX_REASON_LENGTH,
                            "pattern": r"^[^\x00-\x1f\x7f\ud800-\udfff]+\Z",
                            "description": "is empty or contains control "
                            "characters",
                        }
                    },
                    "required": ["reason"],
                    "additionalProperties": False,
                }
            },
            "required": ["lock"],
            "additionalProperties": False,
        }
    }
)
