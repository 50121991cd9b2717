# SPDX-License-Identifier: Apache-2.0
"""The state of TCP ports, found without connecting to them.

xvp takes a connection for a viewer, and one during a reload kills it.
"""

import errno
import socket
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

# One line per socket: see proc_net_tcp in the kernel's documentation.
# /proc/net is missing where systemd hides it (ProcSubset=pid).
_TABLE = Path("/proc/self/net/tcp")
_LOCAL_ADDRESS, _STATE, _INODE = 1, 3, 9
_LISTEN = "0A"

_ALL = range(65536)


def taken(ports: Iterable[int]) -> frozenset[int]:
    """Return the ports that cannot be listened on at present."""
    return frozenset(port for port in ports if not _is_free(port))


def listeners(ports: Container[int]) -> Mapping[int, frozenset[str]]:
    """Return the inodes of the sockets listening on ports over IPv4."""
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


def of_process(pid: int) -> frozenset[int]:
    """Return the ports that a process listens on over IPv4.

    :raises OSError: it has exited
    """
    files = Path(f"/proc/{pid}/fd").iterdir()
    links = {str(file.readlink()) for file in files}
    return frozenset(
        port
        for port, inodes in listeners(_ALL).items()
        if any(f"socket:[{inode}]" in links for inode in inodes)
    )


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        # Like xvp: connections in TIME-WAIT are no obstacle.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            # All addresses, like xvp. This socket never listens, so that no
            # viewer can connect to it.
            tried.bind(("", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True
