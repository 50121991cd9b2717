# SPDX-License-Identifier: Apache-2.0
"""A real memcached for tests."""

from console_api.tests import prerequisites
from console_api.tests.functional.services import Service
from console_api.tests.ports import free_port


def start() -> Service:
    """Start memcached on a free port, and wait until it listens.

    :raises unittest.SkipTest: it is not installed and not required
    """
    path = prerequisites.find_program("memcached")
    port = free_port()
    return Service(
        path,
        *("-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "8"),
        # Required if the tests run as root.
        *("-u", "root"),
        port=port,
    )
