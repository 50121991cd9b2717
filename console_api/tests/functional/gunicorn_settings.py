# SPDX-License-Identifier: Apache-2.0
"""How gunicorn serves the tests, beyond its command line."""

import ctypes
import signal
from typing import Any

_PR_SET_PDEATHSIG = 1


def on_starting(_arbiter: Any) -> None:
    """Let the kernel end this server when the tests are killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
