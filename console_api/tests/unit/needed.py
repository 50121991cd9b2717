# SPDX-License-Identifier: Apache-2.0
"""What tests need that not every machine has."""

import os
import shutil
import unittest
from typing import NoReturn

#: Set to 1, it makes it an error that something is not there.
REQUIRED = "CONSOLE_API_TEST_REQUIRE_PROGRAMS"


def program(name: str) -> str:
    """Find a program.

    :raises unittest.SkipTest: it is not installed, and need not be
    """
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed.")
    return found


def missing(message: str) -> NoReturn:
    """Leave out a test that needs what is not there.

    :raises unittest.SkipTest: it need not be there
    """
    if os.environ.get(REQUIRED) == "1":
        raise RuntimeError(f"{message} {REQUIRED} is 1, so it is needed.")
    raise unittest.SkipTest(message)
