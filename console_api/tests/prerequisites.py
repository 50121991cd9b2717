# SPDX-License-Identifier: Apache-2.0
"""Programs that some tests need and that may not be installed."""

import os
import shutil
import unittest
from typing import NoReturn

#: Set to 1, this environment variable turns skips into errors.
REQUIRED = "CONSOLE_API_TEST_REQUIRE_PROGRAMS"


def find_program(name: str) -> str:
    """Return the path of a program.

    :raises unittest.SkipTest: it is not installed, and not required
    """
    path = shutil.which(name)
    if path is None:
        skip(f"{name} is not installed.")
    return path


def skip(reason: str) -> NoReturn:
    """Skip a test that lacks something.

    :param reason: what is missing, as a sentence
    :raises unittest.SkipTest: it is not required
    :raises RuntimeError: it is required
    """
    if os.environ.get(REQUIRED) == "1":
        raise RuntimeError(f"{reason} It is required by {REQUIRED}=1.")
    raise unittest.SkipTest(reason)
