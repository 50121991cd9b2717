# SPDX-License-Identifier: Apache-2.0
"""Drivers of the agent: ``[agent] driver`` selects one."""

from typing import cast

from stevedore import driver, exception

from console_api import errors
from console_api.agent.drivers.base import Driver
from console_api.consoles import types

NAMESPACE = types.DRIVERS


def find(name: str) -> type[Driver]:
    """Return the driver of a name.

    :raises ConfigurationError: there is none
    """
    try:
        # stevedore's types expect a function.
        return cast(
            "type[Driver]", driver.DriverManager(NAMESPACE, name).driver
        )
    except exception.NoMatches as error:
        raise errors.ConfigurationError(
            f"[agent] driver: there is no driver {name!r} in the namespace "
            f"{NAMESPACE}. `vnc` and `xvp` are built in."
        ) from error
