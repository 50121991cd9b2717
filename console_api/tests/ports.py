# SPDX-License-Identifier: Apache-2.0
"""Free TCP ports for tests, which no other process of tests is given."""

import atexit
import functools
import itertools
import socket
from collections.abc import Iterator

# Below the range from which systems choose ports for outgoing connections.
_PORTS = range(10_000, 32_000)

# How many ports a process has for its tests.
_SHARE = 2000


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
    return list(itertools.islice(filter(is_free, _own_ports()), count))


def free_port() -> int:
    """Return a free port."""
    [port] = free_ports(1)
    return port


def free_range(count: int) -> str:
    """Return a range of free ports: ``MIN-MAX``."""
    found: list[int] = []
    while len(found) < count:
        port = free_port()
        if found and port != found[-1] + 1:
            found.clear()
        found.append(port)
    return f"{found[0]}-{found[-1]}"


@functools.cache
def _own_ports() -> Iterator[int]:
    """Claim ports until this process ends, and return them over and over.

    A port that is free may be chosen by others before a program listens on
    it, or while it does not for a moment, as when it is restarted.
    """
    for first in range(_PORTS.start, _PORTS.stop, _SHARE):
        # Linux forgets the name with the process, however it ends.
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0console_api-tests-{first}")
        except OSError:
            claim.close()
            continue
        atexit.register(claim.close)
        return itertools.cycle(range(first, first + _SHARE))
    raise RuntimeError("Too many processes run tests")
