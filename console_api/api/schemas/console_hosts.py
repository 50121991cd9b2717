# SPDX-License-Identifier: Apache-2.0
"""Requests about console hosts."""

from microversion_parse import Version

from console_api.api.schemas import Schema

UPDATE_BODY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                "console_host": {
                    "type": "object",
                    "properties": {"enabled": {"type": "boolean"}},
                    "required": ["enabled"],
                    "additionalProperties": False,
                }
            },
            "required": ["console_host"],
            "additionalProperties": False,
        }
    }
)
