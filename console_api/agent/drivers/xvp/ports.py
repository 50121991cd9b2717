# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of TCP ports, without connecting to any.

A connection would be a viewer to xvp, and one in the wrong moment ends it.
"""

import errno
import socket
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

# One line a socket: see proc_net_tcp of the kernel's documentation.
# /proc/net is not there where systemd shows processes alone (ProcSubset=pid).
_TABLE = Path("/proc/self/net/tcp")
_LOCAL_ADDRESS, _STATE, _INODE = 1, 3, 9
_LISTEN = "0A"


def taken(ports: Iterable[int]) -> frozenset[int]:
    """Return those of the ports that a program could not listen on now."""
    return frozenset(port for port in ports if not _is_free(port))


def listeners(ports: AbstractSet[int]) -> Mapping[int, frozenset[str]]:
    """Return the inodes of the sockets that listen on ports, over IPv4."""
    found: dict[int, set[str]] = {}
    with _TABLE.open() as table:
        next(table)
        for line in table:
            columns = line.split()
            if columns[_STATE] == _LISTEN:
                port = int(columns[_LOCAL_ADDRESS].rpartition(":")[2], 16)
                if port in ports:
                    found.setdefault(port, set()).add(columns[_INODE])
    return {port: frozenset(inodes) for port, inodes in found.items()}


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        # As xvp does it: connections that have ended are not in its way.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            # All addresses, as xvp; but nobody can connect, as this socket
            # never listens.
            tried.bind(("", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True
