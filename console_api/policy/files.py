# SPDX-License-Identifier: Apache-2.0
"""The policy files: find them, notice changes, read them."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from oslo_config import cfg

from console_api.file_stamps import stamp
from console_api.policy import layout, permissions, reader
from console_api.policy.findings import REFUSED, Finding, Level

#: Maximum size of all policy files together, in bytes.
MAX_SIZE = 4 * 1024 * 1024

_SUFFIXES = {".yaml", ".yml", ".json"}

#: What identifies a state of a file, an error instead if it cannot be
#: examined.  The time of the last change of status covers permissions, and
#: edits that set the modification time back.
Stamp = tuple[int, ...] | str

#: The state of all files.
Stamps = dict[Path, Stamp]


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of the policy files, in the order in which they count.

    ``directories`` are the policy directories that exist, each with its
    device and inode, which differ if it was unmounted or replaced.
    ``failures`` are what could not be read.
    """

    files: dict[Path, bytes] = field(default_factory=dict)
    directories: dict[Path, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    failures: list["ReadError"] = field(default_factory=list)


class ReadError(Exception):
    """A policy file cannot be read now; a retry may succeed."""

    def __init__(self, path: Path, error: OSError) -> None:
        """Create the error."""
        super().__init__(error.strerror or str(error))
        self.finding = Finding(
            path=path,
            level=Level.BROKEN,
            message=f"The policy file cannot be read: {self}.",
            consequence=REFUSED,
            remedy=(
                "Let the user of the service read it, such as with chgrp and "
                "chmod 640."
                if error.errno == errno.EACCES
                else "Restore or correct it."
            ),
        )


class PolicyFiles:
    """The policy files of a configuration."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Find the policy files."""
        main = Path(conf.config_file[0])
        folder = main.parent
        self._main_status = main.stat()
        source = conf.get_location("policy_file", "oslo_policy")
        self._is_configured = bool(
            source and source.location.is_user_controlled
        )
        self._name: str = conf.oslo_policy.policy_file
        self.file = folder / self._name
        self.directories = [
            folder / name for name in conf.oslo_policy.policy_dirs
        ]
        # The command line tools of oslo.policy would search other folders.
        for option, value in (
            ("policy_file", str(self.file)),
            ("policy_dirs", list(map(str, self.directories))),
        ):
            conf.set_override(option, value, group="oslo_policy")

    def stamps(self) -> Stamps:
        """Return the state of each file, which differs after each change."""
        stamps: Stamps = {
            path: _stamp_of(path)
            for path in (self.file, self.file.with_suffix(".json"))
        }
        for directory in self.directories:
            try:
                stamps[directory] = _identify(directory)
                entries = _entries(directory)
            except OSError as error:
                stamps[directory] = str(error.strerror)
            else:
                stamps.update((path, _stamp_of(path)) for path in entries)
        return stamps

    def read(self) -> Contents:
        """Read the files.

        :raises ReadError: a file or directory cannot be read
        """
        contents = self.examine()
        for failure in contents.failures:
            raise failure
        return contents

    def examine(self) -> Contents:
        """Read the files that can be read."""
        contents = Contents()
        if os.path.lexists(self.file):
            self._read_file(self.file, contents)
        elif self._is_configured:
            contents.findings.append(
                Finding(
                    path=self.file,
                    level=Level.BROKEN,
                    message=f"[oslo_policy] policy_file: {self._name} does "
                    "not exist.",
                    consequence=REFUSED,
                    remedy="Create it or remove the option.",
                )
            )
        if not self._is_configured or os.path.lexists(self.file):
            contents.findings.extend(layout.other_names(self.file))
        for directory in self.directories:
            self._read_directory(directory, contents)
        contents.findings.extend(
            layout.other_directories(self.file, self.directories)
        )
        return contents

    def lost(self, before: Contents, now: Contents) -> Iterator[Finding]:
        """Find files and directories that were lost by accident.

        Their rules may deny what the defaults allow.  A file that was removed
        from a directory was removed on purpose.
        """
        for path, data in before.files.items():
            is_removed = path == self.file and path not in now.files
            is_emptied = not reader.is_blank(data) and reader.is_blank(
                now.files.get(path, b"#")
            )
            if is_removed or is_emptied:
                yield _lost(path, "The policy file was removed or emptied.")
        for directory, identity in before.directories.items():
            if (
                _count_files(directory, before)
                and not _count_files(directory, now)
                and now.directories.get(directory) != identity
            ):
                yield _lost(
                    directory,
                    "The policy directory was removed or unmounted.",
                )

    def _read_directory(self, directory: Path, contents: Contents) -> None:
        try:
            if not os.path.lexists(directory):
                return
            contents.directories[directory] = _identify(directory)
            status = directory.stat()
            entries = sorted(_entries(directory))
        except OSError as error:
            contents.failures.append(ReadError(directory, error))
            return
        contents.findings.extend(
            permissions.examine(directory, status, self._main_status)
        )
        for path in entries:
            if path.name[0] == "." or path.suffix not in _SUFFIXES:
                contents.findings.append(layout.ignored(path))
            else:
                self._read_file(path, contents)
        contents.findings.extend(
            layout.misordered(
                [path for path in contents.files if path.parent == directory]
            )
        )

    def _read_file(self, path: Path, contents: Contents) -> None:
        limit = MAX_SIZE - sum(map(len, contents.files.values()))
        try:
            data, status = read_regular(path, limit)
        except OSError as error:
            contents.failures.append(ReadError(path, error))
            return
        contents.files[path] = data
        contents.findings.extend(
            permissions.examine(path, status, self._main_status)
        )


def _lost(path: Path, message: str) -> Finding:
    return Finding(
        path=path,
        level=Level.BROKEN,
        message=message,
        consequence="The previous rules stay in force until a restart, after "
        "which the defaults apply.",
        remedy="Restore it, or stop and start the service to continue "
        "without it.",
    )


def _count_files(directory: Path, contents: Contents) -> int:
    return sum(path.parent == directory for path in contents.files)


def read_regular(
    path: Path, limit: int = MAX_SIZE
) -> tuple[bytes, os.stat_result]:
    """Return the content and the status of a regular file.

    :raises OSError: it is not regular, too large or cannot be read
    """
    # Opening a FIFO would otherwise wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            kind = "a directory" if stat.S_ISDIR(before.st_mode) else "special"
            raise OSError(errno.EINVAL, f"it is {kind}, not a regular file")
        data = b""
        while chunk := os.read(descriptor, limit + 1 - len(data)):
            data += chunk
        if len(data) > limit:
            raise OSError(
                errno.EFBIG, f"the policy files exceed {MAX_SIZE} bytes"
            )
        if stamp(os.fstat(descriptor)) != stamp(before):
            raise OSError(errno.EAGAIN, "it is being written")
    finally:
        os.close(descriptor)
    return data, before


def _stamp_of(path: Path) -> Stamp:
    try:
        return stamp(path.stat())
    except OSError as error:
        link = " (a link)" if path.is_symlink() else ""
        return f"{error.strerror}{link}"


def _identify(directory: Path) -> tuple[int, int]:
    result = directory.stat()
    return result.st_dev, result.st_ino


def _entries(directory: Path) -> Iterator[Path]:
    """Iterate over the entries of a directory.

    :raises OSError: it is not a directory, or cannot be read
    """
    return directory.iterdir()
