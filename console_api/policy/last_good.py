# SPDX-License-Identifier: Apache-2.0
"""The policy files as a worker of this service loaded them last.

A worker that starts while the policy files are broken continues with them, as
its predecessor did.  Otherwise the death of one worker would stop the service:
gunicorn and uWSGI stop if a worker cannot start.

The copy is in the folder that the environment variable ``RUNTIME_DIRECTORY``
names.  systemd creates that folder when it starts the service and removes it
when it stops it, so a service that an operator starts never uses an old copy.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from console_api.policy.files import Contents

LOG = logging.getLogger(__name__)

#: Names the folder; systemd separates several by colons.
ENVIRONMENT = "RUNTIME_DIRECTORY"

# Attempts to get the lock, and the seconds between them.
_ATTEMPTS = 100
_INTERVAL = 0.01


class LastGood:
    """The copy of the policy files of one configuration."""

    def __init__(self, main: Path) -> None:
        """Choose the place of the copy.

        :param main: the policy file, which identifies the configuration
        """
        folder = os.environ.get(ENVIRONMENT, "").partition(":")[0]
        digest = hashlib.sha256(os.fsencode(main.absolute())).hexdigest()
        self._path = (
            Path(folder) / f"console_api-policy-{digest[:16]}.json"
            if folder
            else None
        )

    def read(self) -> Contents | None:
        """Return the copy, None if there is none."""
        if self._path is None:
            return None
        try:
            document = json.loads(_read_own(self._path))
            return Contents(
                {
                    Path(path): text.encode()
                    for path, text in document["files"].items()
                },
                {
                    Path(path): (device, inode)
                    for path, (device, inode) in document[
                        "directories"
                    ].items()
                },
            )
        except FileNotFoundError:
            return None
        except (
            OSError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            LOG.warning("Cannot read %s: %s", self._path, error)
            return None

    def written_at(self) -> datetime:
        """Return when the copy was written, now if there is none."""
        seconds = time.time()
        if self._path is not None:
            with contextlib.suppress(OSError):
                seconds = self._path.stat().st_mtime
        return datetime.fromtimestamp(seconds, UTC)

    def write(
        self, contents: Contents, is_current: Callable[[], bool]
    ) -> None:
        """Replace the copy.

        :param is_current: whether the policy files are still those that
            ``contents`` has; otherwise another worker may have replaced the
            copy by a later one
        """
        if self._path is None:
            return
        document = {
            "files": {
                str(path): data.decode()
                for path, data in contents.files.items()
            },
            "directories": {
                str(path): identity
                for path, identity in contents.directories.items()
            },
        }
        try:
            with _lock(self._path.with_suffix(".lock")):
                if is_current():
                    _replace(self._path, json.dumps(document))
        except OSError as error:
            LOG.warning(
                "Cannot write %s: %s. Workers that start do not find the "
                "policy that is in force.",
                self._path,
                error,
            )


def _read_own(path: Path) -> str:
    """Return the content of a file that only our user may write."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, encoding="utf-8") as file:  # noqa: PTH123
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or status.st_mode & (
            stat.S_IWGRP | stat.S_IWOTH
        ):
            raise PermissionError("other users may write to it")
        return file.read()


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".policy-")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock between the workers; the kernel releases it if they die.

    :raises OSError: another worker keeps it
    """
    descriptor = os.open(
        path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )
    try:
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_INTERVAL)
        yield
    finally:
        os.close(descriptor)
