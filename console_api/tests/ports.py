# SPDX-License-Identifier: Apache-2.0
"""Free TCP ports for tests."""

import random
import socket

# Below the range from which systems choose ports for outgoing connections.
_PORTS = range(10_000, 32_000)


def is_free(port: int) -> bool:
    """Return whether no program listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Return some free ports."""
    return random.sample(
        [port for port in random.sample(_PORTS, 200) if is_free(port)], count
    )


def free_port() -> int:
    """Return a free port."""
    [port] = free_ports(1)
    return port


def free_range(count: int) -> str:
    """Return a range of free ports: ``MIN-MAX``."""
    while True:
        first = random.choice(_PORTS)
        ports = range(first, first + count)
        if all(map(is_free, ports)):
            return f"{ports[0]}-{ports[-1]}"
