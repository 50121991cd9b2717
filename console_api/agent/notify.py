# SPDX-License-Identifier: Apache-2.0
"""What a service tells systemd, if it runs under it: sd_notify(3)."""

import contextlib
import os
import socket


def send(state: str) -> None:
    """Send a state, as ``READY=1``; does nothing without a socket for it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address[0] == "@":
        # A name that is in no file system.
        address = f"\0{address[1:]}"
    # Whoever should listen does not, or no more files can be opened: nothing
    # depends on it.
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.setblocking(False)
        sender.sendto(state.encode(), address)
