# SPDX-License-Identifier: Apache-2.0
"""Requests about console auth tokens."""

from microversion_parse import Version

from console_api.api.schemas import Schema

#: No parameters; from microversion 2.99 unknown ones are refused.
SHOW_QUERY = Schema(
    {
        Version(2, 1): {"type": "object"},
        Version(2, 99): {"type": "object", "additionalProperties": False},
    }
)
