# SPDX-License-Identifier: Apache-2.0
"""Gunicorn settings, read by Gunicorn itself (``--config THIS_FILE``).

They separate several Gunicorns on one machine, and signal to the benchmark
that each worker has loaded the application: an open port only shows that one
of them has, and a measurement would then include the loading of the others.
"""

import os
import sys
from pathlib import Path
from typing import Protocol

#: The environment variable with the folder for one file per loaded worker.
READY_FOLDER = "BENCHMARK_READY_FOLDER"

#: The environment variable with the URL of the bare application's database.
DATABASE_URL = "BENCHMARK_DATABASE_URL"

# By default, all Gunicorns of a user share its path.  Versions without such a
# socket ignore the setting.
control_socket_disable = True


class Worker(Protocol):
    """A worker process of Gunicorn."""

    pid: int


def post_fork(_arbiter: object, _worker: object) -> None:
    """Hide Gunicorn's arguments, because Nova parses ``sys.argv``."""
    sys.argv[1:] = []


def post_worker_init(worker: Worker) -> None:
    """Signal that this worker has loaded the application."""
    Path(os.environ[READY_FOLDER], str(worker.pid)).touch()
