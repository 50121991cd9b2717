# SPDX-License-Identifier: Apache-2.0
"""nginx as an ordinary user, with all its files in the folder of a test."""

import os
from pathlib import Path

# Those of the defaults may not exist, and are created in /var/lib/nginx.
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def write(folder: Path, http: str) -> Path:
    """Write a configuration.

    :param http: the contents of the block ``http``
    :returns: the path of the file
    """
    lines = [
        "daemon off;",
        *(["user root;"] if os.geteuid() == 0 else []),
        f"pid {folder}/nginx.pid;",
        f"error_log {folder}/nginx.log;",
        "events {}",
        "http {",
        *(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY),
        http,
        "}",
    ]
    path = folder / "main.conf"
    path.write_text("\n".join(lines))
    return path
