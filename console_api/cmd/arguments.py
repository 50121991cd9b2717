# SPDX-License-Identifier: Apache-2.0
"""Types of command-line arguments, and the options that programs share."""

import argparse
import re
from collections.abc import Callable
from typing import TypeVar

from console_api import conf as configuration
from console_api import values

T = TypeVar("T")


def argument(check: Callable[[str], T]) -> Callable[[str], T]:
    """Return a check of a value as a ``type`` of argparse.

    argparse would replace the message of a ``ValueError`` by its own.

    :param check: a function such as those of ``console_api.values``
    """

    def convert(text: str) -> T:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def number(text: str) -> int | str:
    """Return the number that a string is made of, or the string itself.

    ``int()`` also accepts whitespace, signs, underscores and digits of other
    scripts, and takes long for many digits.
    """
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


def port(text: str) -> int:
    """Return a TCP port.

    :raises ValueError: it is not a number from 1 to 65535
    """
    return values.port(number(text))


def add_config_dir(parser: argparse.ArgumentParser) -> None:
    """Add ``--config-dir``."""
    parser.add_argument(
        "--config-dir",
        metavar="DIR",
        help="The folder that contains console_api.conf. (default: the value "
        f"of the environment variable {configuration.ENVIRONMENT}, or "
        f"{configuration.DEFAULT_DIR})",
    )
