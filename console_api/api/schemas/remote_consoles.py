# SPDX-License-Identifier: Apache-2.0
"""Requests that create remote consoles; measured on Nova 34.0.0."""

from typing import Any

from microversion_parse import Version

from console_api.api.schemas import Schema

_PROTOCOLS_2_6 = ["vnc", "spice", "serial", "rdp"]
_TYPES_2_6 = ["novnc", "xvpvnc", "spice-html5", "serial", "rdp-html5"]
_PROTOCOLS_2_8 = [*_PROTOCOLS_2_6, "mks"]
_TYPES_2_8 = [*_TYPES_2_6, "webmks"]
_TYPES_2_99 = [*_TYPES_2_8, "spice-direct"]


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _remote_console(protocols: list[str], types: list[str]) -> dict[str, Any]:
    return _object(
        {
            "remote_console": _object(
                {"protocol": {"enum": protocols}, "type": {"enum": types}}
            )
        }
    )


CREATE_BODY = Schema(
    {
        Version(2, 6): _remote_console(_PROTOCOLS_2_6, _TYPES_2_6),
        Version(2, 8): _remote_console(_PROTOCOLS_2_8, _TYPES_2_8),
        Version(2, 99): _remote_console(_PROTOCOLS_2_8, _TYPES_2_99),
    }
)

#: The legacy actions: the protocol that each asks for, and its types.
ACTIONS = {
    "os-getVNCConsole": ("vnc", ["novnc", "xvpvnc"]),
    "os-getSPICEConsole": ("spice", ["spice-html5"]),
    "os-getRDPConsole": ("rdp", ["rdp-html5"]),
    "os-getSerialConsole": ("serial", ["serial"]),
}

ACTION_BODY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                name: _object({"type": {"enum": types}})
                for name, (_protocol, types) in ACTIONS.items()
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
    }
)
