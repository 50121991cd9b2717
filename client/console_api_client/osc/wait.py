# SPDX-License-Identifier: Apache-2.0
"""Options for waiting until a console is served."""

from __future__ import annotations

import argparse

_DEFAULT_TIMEOUT = 60


def add_timeout(parser: argparse.ArgumentParser, unless: str = "") -> None:
    """Add --timeout.

    :param unless: when it is ignored, for the help
    """
    parser.add_argument(
        "--timeout",
        metavar="<seconds>",
        type=_seconds,
        default=_DEFAULT_TIMEOUT,
        help=f"Maximum time to wait{unless} (default: %(default)s)",
    )


def _seconds(text: str) -> int:
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    if seconds < 1:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return seconds
