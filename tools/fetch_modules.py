#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetch the JavaScript modules of the gateway's page.

Run ``python3 tools/fetch_modules.py`` in a checkout: before the gateway is
started from it, and before a distribution is built.  The lock file has the
version of each package and the hash of its archive.  Archives are downloaded
by ``npm``, verified, and unpacked without a change.  What has been unpacked
already is kept.
"""

import base64
import fnmatch
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_WEB = Path(__file__).parents[1] / "console_api" / "gateway" / "web"
_LOCK_FILE = _WEB / "modules.lock.json"
_FOLDER = _WEB / "modules"

# The folder in each archive of npm.
_ROOT = "package/"

# In seconds, for one archive.
_TIMEOUT = 120


class FetchError(Exception):
    """A module cannot be fetched; the message says why."""


def main() -> None:
    """Fetch what is missing; exit with a message if that fails."""
    try:
        modules = json.loads(_LOCK_FILE.read_text())["modules"]
        _FOLDER.mkdir(exist_ok=True)
        _remove_others({module["folder"] for module in modules})
        for module in modules:
            if not (_FOLDER / module["folder"]).exists():
                _fetch(module)
    except (FetchError, OSError) as error:
        sys.exit(f"fetch_modules: {error}")


def _remove_others(folders: set[str]) -> None:
    """Remove the modules of former versions."""
    for folder in _FOLDER.iterdir():
        if folder.name not in folders:
            shutil.rmtree(folder)


def _fetch(module: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory(dir=_FOLDER.parent) as temporary:
        folder = Path(temporary)
        archive = _download(f"{module['package']}@{module['version']}", folder)
        _verify(archive, module["integrity"])
        unpacked = folder / "unpacked"
        _unpack(archive, module["files"], unpacked)
        # Complete or not at all.
        unpacked.rename(_FOLDER / module["folder"])


def _download(package: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm is not installed. Install it and try again.")
    print(f"Fetching {package}", flush=True)
    try:
        done = subprocess.run(  # noqa: S603 (our own arguments)
            [npm, "pack", "--silent", "--ignore-scripts", package],
            cwd=folder,
            # Nothing outside the checkout is written.
            env={**os.environ, "npm_config_cache": str(folder / "cache")},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"npm did not fetch {package} in time.") from error
    archives = [*folder.glob("*.tgz")]
    if done.returncode or len(archives) != 1:
        raise FetchError(f"npm cannot fetch {package}: {done.stderr.strip()}")
    return archives[0]


def _verify(archive: Path, integrity: str) -> None:
    """Compare the hash of an archive (W3C Subresource Integrity)."""
    algorithm, _, expected = integrity.partition("-")
    digest = hashlib.new(algorithm, archive.read_bytes()).digest()
    if base64.b64encode(digest).decode() != expected:
        raise FetchError(
            f"{archive.name} is not the archive of the lock file: its hash "
            "differs."
        )


def _unpack(archive: Path, patterns: Sequence[str], folder: Path) -> None:
    """Unpack the files that match one of the patterns."""
    with tarfile.open(archive) as files:
        for member in files:
            name = member.name.removeprefix(_ROOT)
            content = files.extractfile(member) if member.isfile() else None
            if content is None or not any(
                fnmatch.fnmatch(name, pattern) for pattern in patterns
            ):
                continue
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise FetchError(f"{archive.name} has a bad name: {name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())


if __name__ == "__main__":
    main()
