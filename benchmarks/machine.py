# SPDX-License-Identifier: Apache-2.0
"""Describe the machine that produced the figures."""

import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from benchmarks import documents

_PACKAGES = (
    "console-api",
    "gunicorn",
    "SQLAlchemy",
    "PyMySQL",
    "psycopg2-binary",
    "oslo.db",
    "oslo.policy",
    "oslo.log",
    "Routes",
    "WebOb",
)

_VERSION = {
    "sqlite": "SELECT sqlite_version()",
    "mysql": "SELECT version()",
    "postgresql": "SHOW server_version",
}


def describe() -> documents.Machine:
    """Return the machine, its software and the date."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(_kib("/proc/meminfo", "MemTotal") / 2**20, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "wrk": _wrk_version(),
        "packages": dict(_installed(_PACKAGES)),
    }


def database_version(url: str) -> str:
    """Return the name and version that a database reports."""
    engine = sa.create_engine(url)
    name = engine.dialect.name
    try:
        with engine.connect() as connection:
            version = str(connection.execute(sa.text(_VERSION[name])).scalar())
    finally:
        engine.dispose()
    number = re.match(r"[\d.]*\d", version)
    title = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(name, "MySQL")
    if "MariaDB" in version:
        title = "MariaDB"
    return f"{title} {number[0] if number else version}"


def workers_memory(arbiter: int) -> float:
    """Return the mean resident memory of Gunicorn's workers, in MiB.

    :param arbiter: the process id of their parent
    """
    sizes = [resident(pid) for pid in workers(arbiter)]
    return round(sum(sizes) / max(1, len(sizes)) / 1024, 1)


def workers(arbiter: int) -> list[int]:
    """Return the process ids of Gunicorn's workers."""
    children = Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text()
    return [int(pid) for pid in children.split()]


def resident(pid: int) -> int:
    """Return the resident memory of a process, in KiB."""
    return _kib(f"/proc/{pid}/status", "VmRSS")


def _installed(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    for name in names:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _kib(path: str, name: str) -> int:
    return int(_field(path, name).split()[0])


def _wrk_version() -> str:
    # It prints its version with its usage, and exits with status 1.
    done = subprocess.run(
        ["wrk", "-v"], capture_output=True, text=True, check=False
    )
    found = re.search(r"wrk \S*?(\d[\w.]*)", done.stdout + done.stderr)
    return found[1] if found else "unknown"
