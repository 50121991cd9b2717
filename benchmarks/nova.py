# SPDX-License-Identifier: Apache-2.0
"""A real Nova API to measure beside console_api.

Nova is installed from PyPI into a virtual environment of its own, uses
databases of its own and runs behind Gunicorn, as console_api does in the same
benchmark::

    nova.install(venv)                    # may raise NovaUnavailable
    with nova_cloud.create(venv, folder, "mysql") as cloud:
        with nova.NovaServer(cloud, port=8774, workers=1, threads=4) as api:
            api.status(nova_cloud.path(cloud.valid_token), nova_cloud.ADMIN)
"""

import importlib.metadata
import json
import sys
from pathlib import Path

from benchmarks import nova_cloud, programs
from benchmarks.nova_cloud import ADMIN, READER, Cloud, path

#: The expected status of each measured operation.
STATUSES = {"hit": 200, "miss": 404, "expired": 404, "forbidden": 403}

# The first version whose API runs on native threads, as Gunicorn does.
_NOVA = "nova>=33.0.0"
_SAME_VERSIONS = ("gunicorn", "PyMySQL", "psycopg2-binary")
_STAMP = "installed-by-benchmark"
_INSTALL_TIMEOUT = 1800.0

# pip would take minutes.
_UV = (sys.executable, "-m", "uv")


class NovaUnavailable(programs.BenchmarkError):
    """Nova cannot be installed on this machine; the message says why."""


def install(venv: Path) -> None:
    """Install Nova and its WSGI server into a virtual environment.

    Gunicorn and the database drivers get the same versions as in the
    environment that runs the benchmark, so that they do not account for the
    difference.  Nothing happens if Python and those versions are unchanged;
    to get a newer Nova, delete the folder.

    :raises NovaUnavailable: the packages cannot be installed
    """
    packages = [_NOVA, *map(_same_version, _SAME_VERSIONS)]
    wanted = "\n".join([sys.version, *packages])
    stamp = venv / _STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    create = ["venv", "--quiet", "--clear", "--python", sys.executable]
    try:
        programs.run([*_UV, *create, str(venv)])
        add(venv, *packages)
    except programs.ProgramFailed as error:
        message = f"Nova cannot be installed: {error}"
        raise NovaUnavailable(message) from error
    stamp.write_text(wanted)


def add(venv: Path, *arguments: str) -> None:
    """Install more packages into a virtual environment.

    :param arguments: as of ``uv pip install``
    :raises programs.ProgramFailed: they cannot be installed
    """
    install = ["pip", "install", "--quiet", "--python", str(venv)]
    programs.run([*_UV, *install, *arguments], _INSTALL_TIMEOUT)


def _same_version(package: str) -> str:
    try:
        return f"{package}=={importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return package


def versions(venv: Path) -> dict[str, str]:
    """Return the versions of the installed packages by lowercase name."""
    options = ["--quiet", "--format=json", "--python", str(venv)]
    listed = programs.run([*_UV, "pip", "list", *options])
    return {row["name"].lower(): row["version"] for row in json.loads(listed)}


class NovaServer(programs.GunicornServer):
    """Nova's API behind Gunicorn, running inside a ``with`` block."""

    def __init__(
        self, cloud: Cloud, *, port: int, workers: int = 1, threads: int = 4
    ) -> None:
        """Keep the settings; the server starts with the ``with`` block."""
        super().__init__(
            "nova.wsgi.osapi_compute:application",
            python=cloud.venv / "bin" / "python",
            folder=cloud.folder,
            port=port,
            workers=workers,
            threads=threads,
            variables={
                **nova_cloud.VARIABLES,
                "OS_NOVA_CONFIG_DIR": str(cloud.folder),
            },
        )
        self.cloud = cloud

    def check(self) -> None:
        """Check the status of each measured operation.

        :raises ProgramFailed: one differs from the expected status
        """
        valid = path(self.cloud.valid_token)
        statuses = {
            "hit": self.status(valid, ADMIN),
            "miss": self.status(path(self.cloud.unknown_token), ADMIN),
            "expired": self.status(path(self.cloud.expired_token), ADMIN),
            "forbidden": self.status(valid, READER),
        }
        if statuses != STATUSES:
            raise self.failure(f"returned {statuses}")
