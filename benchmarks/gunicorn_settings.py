# SPDX-License-Identifier: Apache-2.0
"""Gunicorn settings, read by Gunicorn itself (``--config THIS_FILE``).

They keep several Gunicorns on one machine apart and tell the benchmark when
every worker has its application loaded: an open port says that of one worker
only, and a measurement that starts then counts the loading of the others.
"""

import os
import sys
from pathlib import Path
from typing import Any

#: The environment variable with the folder for one file a loaded worker.
READY_FOLDER = "BENCHMARK_READY_FOLDER"

#: The environment variable with the URL of the bare application's database.
DATABASE_URL = "BENCHMARK_DATABASE_URL"

# Its default path is one for all Gunicorns of a user.  Versions that have no
# such socket ignore the name.
control_socket_disable = True


def post_fork(_arbiter: Any, _worker: Any) -> None:
    """Hide Gunicorn's arguments: Nova takes ``sys.argv`` for its own."""
    sys.argv[1:] = []


def post_worker_init(worker: Any) -> None:
    """Say that this worker has loaded its application."""
    Path(os.environ[READY_FOLDER], str(worker.pid)).touch()
