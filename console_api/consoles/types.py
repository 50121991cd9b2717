# SPDX-License-Identifier: Apache-2.0
"""Console types that a driver of the agent serves."""

from collections.abc import Iterable
from typing import Any

from stevedore import ExtensionManager

from console_api import values

#: The namespace of the agent's drivers.
DRIVERS = "console_api.agent.drivers"


def check(value: object) -> str:
    """Return a console type that an installed driver serves.

    :raises ValueError: there is no such driver; the message is the rest of a
        sentence, as in ``values``
    """
    console_type = values.console_type(value)
    if console_type in values.CONSOLE_HOST_TYPES:
        return console_type
    # Only now, because loading the drivers takes long.
    known = {*values.CONSOLE_HOST_TYPES, *_of_installed_drivers()}
    if console_type not in known:
        raise ValueError(
            f"must be a console type of an installed driver "
            f"({', '.join(sorted(known))}), not {values.quoted(console_type)}"
        )
    return console_type


def _of_installed_drivers() -> Iterable[str]:
    installed: ExtensionManager[Any] = ExtensionManager(DRIVERS)
    return [extension.plugin.console_type for extension in installed]
