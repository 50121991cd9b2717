# SPDX-License-Identifier: Apache-2.0
"""Requests that create remote consoles, almost as in Nova 34.0.0."""

from collections.abc import Iterable, Mapping

from microversion_parse import Version

from console_api.api.schemas import Schema
from console_api.values import CONSOLE_TYPES_BY_PROTOCOL, PROTOCOLS

_INITIAL = Version(2, 6)

# Microversions that added protocols and console types.
_ADDED_IN = {
    "mks": Version(2, 8),
    "webmks": Version(2, 8),
    "spice-direct": Version(2, 99),
}

#: The protocols of the legacy actions.
ACTIONS: Mapping[str, str] = {
    "os-getVNCConsole": "vnc",
    "os-getSPICEConsole": "spice",
    "os-getRDPConsole": "rdp",
    "os-getSerialConsole": "serial",
}


def _available(names: Iterable[str], version: Version) -> list[str]:
    return [name for name in names if _ADDED_IN.get(name, _INITIAL) <= version]


def _object(
    properties: Mapping[str, object],
    optional: Mapping[str, object] | None = None,
) -> Mapping[str, object]:
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def _remote_console(
    version: Version, optional: Mapping[str, object]
) -> Mapping[str, object]:
    types = [
        name for names in CONSOLE_TYPES_BY_PROTOCOL.values() for name in names
    ]
    return _object(
        {
            "remote_console": _object(
                {
                    "protocol": {"enum": _available(PROTOCOLS, version)},
                    "type": {"enum": _available(types, version)},
                },
                optional,
            )
        }
    )


def _action(protocol: str) -> Mapping[str, object]:
    types = CONSOLE_TYPES_BY_PROTOCOL[protocol]
    return _object({"type": {"enum": _available(types, _INITIAL)}})


def _create(optional: Mapping[str, object]) -> Schema:
    return Schema(
        {
            version: _remote_console(version, optional)
            for version in (_INITIAL, *_ADDED_IN.values())
        }
    )


# Nova does not have this property.
CREATE_BODY = _create({"exclusive": {"type": "boolean"}})

VIEW_ONLY_BODY = _create({})

ACTION_BODY = Schema(
    {
        Version(2, 1): {
            "type": "object",
            "properties": {
                name: _action(protocol) for name, protocol in ACTIONS.items()
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
    }
)
