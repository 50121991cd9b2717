# SPDX-License-Identifier: Apache-2.0
"""Requests on console auth tokens."""

from microversion_parse import Version

from console_api.api.schemas import Schema

#: There are no parameters; since 2.99 unknown ones are refused.
SHOW_QUERY = Schema(
    {
        Version(2, 1): {"type": "object"},
        Version(2, 99): {"type": "object", "additionalProperties": False},
    }
)
