# SPDX-License-Identifier: Apache-2.0
"""Waiting for the port of a console to open or close."""

import argparse
import socket
import time
from collections.abc import Callable

# Seconds; the default interval between polls of an agent.
_INTERVAL = 0.5

_DEFAULT_TIMEOUT = 60


def add_options(parser: argparse.ArgumentParser, event: str) -> None:
    """Add --wait and --timeout.

    :param event: what to wait for, for the help
    """
    parser.add_argument(
        "--wait", action="store_true", help=f"Wait until {event}"
    )
    parser.add_argument(
        "--timeout",
        metavar="<seconds>",
        type=_seconds,
        default=_DEFAULT_TIMEOUT,
        help="Maximum time to wait; ignored without --wait (default: "
        "%(default)s)",
    )


def until(condition: Callable[[], bool], deadline: float) -> bool:
    """Poll a condition until it is true.

    :param deadline: when to stop, on the clock of ``time.monotonic``
    :returns: whether it became true
    """
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_INTERVAL)
    return True


def accepts(host: str, port: int, deadline: float) -> bool:
    """Return whether a port accepts connections."""
    # At least one interval, even if the deadline has just passed.
    timeout = max(deadline - time.monotonic(), _INTERVAL)
    try:
        socket.create_connection((host, port), timeout).close()
    except (OSError, UnicodeError):
        # UnicodeError: the name is not valid in the DNS.
        return False
    return True


def _seconds(text: str) -> int:
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    if seconds < 1:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return seconds
