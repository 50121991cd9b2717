# SPDX-License-Identifier: Apache-2.0
"""Notifications of systemd: sd_notify(3)."""

import contextlib
import os
import socket


def is_enabled() -> bool:
    """Return whether systemd waits for notifications."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def send(state: str) -> None:
    """Send a state such as ``READY=1``; do nothing outside systemd."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address[0] == "@":
        # The abstract namespace.
        address = f"\0{address[1:]}"
    # Nothing depends on the notification: systemd may not listen, or no more
    # files can be opened.
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.setblocking(False)
        sender.sendto(state.encode(), address)
