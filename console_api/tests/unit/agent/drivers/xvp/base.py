# SPDX-License-Identifier: Apache-2.0
"""Consoles for the unit tests of the xvp driver."""

from typing import Any

from console_api.agent.drivers.base import Console

PASSWORD = "Xv9_k-2+"

# The password as it is written in xvp.conf.
PASSWORD_HEX = "d5c24a2652171b94"


def console(number: int, port: int | None = None, **values: Any) -> Console:
    """Return a console."""
    return Console(
        **{
            "id": number,
            "server_id": f"00000000-0000-4000-8000-{number:012d}",
            "instance_name": f"vm-{number}",
            "compute_host": "compute-1",
            "port": port,
            "password": PASSWORD,
            **values,
        }
    )


def by_id(*consoles: Console) -> dict[int, Console]:
    """Return consoles by their ids."""
    return {console.id: console for console in consoles}
