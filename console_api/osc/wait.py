# SPDX-License-Identifier: Apache-2.0
"""Waiting for the port of a console to open or close."""

import argparse
import socket
import time
from collections.abc import Callable

# As often as an agent looks, unless its operator has changed that.
_INTERVAL = 0.5

_DEFAULT_TIMEOUT = 60


def add_options(parser: argparse.ArgumentParser, event: str) -> None:
    """Add --wait for an event, and --timeout."""
    parser.add_argument(
        "--wait", action="store_true", help=f"Wait until {event}"
    )
    parser.add_argument(
        "--timeout",
        metavar="<seconds>",
        type=_seconds,
        default=_DEFAULT_TIMEOUT,
        help="How long to wait at most; ignored without --wait "
        "(default: %(default)s)",
    )


def until(condition: Callable[[], bool], deadline: float) -> bool:
    """Ask again and again until something is so.

    :param deadline: when to give up, on the clock ``time.monotonic``
    :returns: whether it has become so
    """
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_INTERVAL)
    return True


def accepts(host: str, port: int, deadline: float) -> bool:
    """Tell whether somebody accepts connections there."""
    # At least one interval: a deadline that has just passed leaves no time.
    timeout = max(deadline - time.monotonic(), _INTERVAL)
    try:
        socket.create_connection((host, port), timeout).close()
    except (OSError, UnicodeError):
        # UnicodeError: the name cannot be one in the DNS.
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
