# SPDX-License-Identifier: Apache-2.0
"""The process that serves one client."""

import contextlib
import os
import resource
import signal
import sys

from console_api.tests.functional.xvp_stand_in.session import (
    Closed,
    Session,
    des,
)
from console_api.tests.functional.xvp_stand_in.title import set_title


def import_des():
    """Load what clients need, once for all children."""
    des(bytes(8))


def run(program, connection, address, target):
    """Serve a client until it disconnects, then exit."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in program.signals:
            signal.signal(number, signal.SIG_DFL)
        keep = {connection.fileno(), program.log_file.fileno(), program.life}
        _close_files(keep)
        with contextlib.suppress(Closed, OSError):
            Session(
                connection,
                target,
                program.life,
                program.configuration.find,
                lambda name: set_title(f"xvp: proxy: {address} to {name}"),
            ).run()
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def _close_files(keep):
    """Close files one by one, up to the limit, as xvp does.

    Until it gets to them, all ports of the master are open here, too.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    for number in range(3, limit):
        if number not in keep:
            try:
                os.close(number)
            except OSError:
                continue
