# SPDX-License-Identifier: Apache-2.0
"""The policy files: find them, watch them, load their rules.

The policy file and the files of the policy directories are examined when a
request needs a decision, at most every ``LOOK_INTERVAL``.
"""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from oslo_config import cfg
from oslo_policy import policy

from console_api import conf as configuration
from console_api import errors, policies

#: Minimum interval, in seconds, between examinations of the policy files.
#: Each lets another thread run first, which costs a busy worker more than the
#: examination itself.
LOOK_INTERVAL = 0.5

#: The policy files by path, each with its modification time, size and inode;
#: None for a path that cannot be examined, such as a dangling link.
Fingerprint = dict[Path, tuple[int, int, int] | None]


class PolicyFileError(Exception):
    """A policy file cannot be read or understood."""


class PolicyFiles:
    """The policy files of a configuration."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Find the policy files.

        :raises ConfigurationError: the policy file that is configured does
            not exist
        """
        self._conf = conf
        self._file = _find_file(conf)
        self._directories = _find_directories(conf)
        # oslo.policy would search other directories as well.
        for name, value in (
            ("policy_file", str(self._file)),
            ("policy_dirs", list(map(str, self._directories))),
        ):
            conf.set_override(name, value, group="oslo_policy")
        self._seen = self._fingerprint()
        self._loaded: Fingerprint = {}
        self._next_look = 0.0

    def have_changed(self) -> bool:
        """Return whether the files differ from what they were when examined.

        They are examined at most every ``LOOK_INTERVAL``, and a change is
        reported once, whether or not the files can be loaded then.
        """
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + LOOK_INTERVAL
        found = self._fingerprint()
        if found == self._seen:
            return False
        self._seen = found
        return True

    def load(self) -> policy.Enforcer:
        """Return an enforcer with the rules of the files, and the defaults.

        :raises PolicyFileError: a file cannot be read or understood, or the
            policy file was removed, or any file was emptied, since they were
            loaded: the defaults may allow what it denied
        """
        files = self._seen
        self._check_kept(files)
        for path in files:
            _check_readable(path)
        enforcer = make_enforcer(self._conf)
        try:
            enforcer.load_rules(force_reload=True)
        except Exception as error:
            # YAML and oslo.policy raise various exceptions.
            paths = ", ".join(map(str, [self._file, *self._directories]))
            raise PolicyFileError(
                f"The policy cannot be loaded: {error}. Correct {paths}."
            ) from error
        # Changes are detected here, not by oslo.policy in each check.
        enforcer.use_conf = False
        self._loaded = files
        return enforcer

    def _check_kept(self, files: Fingerprint) -> None:
        """Check that no rules were lost by accident.

        A file removed from a policy directory was removed on purpose.
        """
        for path, stamp in self._loaded.items():
            now = files.get(path)
            is_removed = path == self._file and path not in files
            is_emptied = stamp and now and stamp[1] and not now[1]
            if is_removed or is_emptied:
                raise PolicyFileError(
                    f"The policy file {path} was removed or emptied. Restore "
                    "it, or restart the service to continue without it."
                )

    def _fingerprint(self) -> Fingerprint:
        files = list_files(self._file, self._directories)
        return {path: _stamp(path) for path in files}


def list_files(file: Path, directories: Iterable[Path]) -> Sequence[Path]:
    """Return the policy files; a later one overrides the rules of others.

    A path that is not what it should be, such as a directory in the place of
    the policy file, is included, so that reading it fails.
    """
    files = [file]
    for directory in directories:
        try:
            files += sorted(
                entry
                for entry in directory.iterdir()
                if entry.name[0] != "." and not entry.is_dir()
            )
        except OSError:
            # It does not exist, or is not a readable directory.
            files.append(directory)
    return [path for path in files if os.path.lexists(path)]


def make_enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    """Return oslo.policy's enforcer with our defaults, no files loaded."""
    enforcer = policy.Enforcer(conf)
    enforcer.register_defaults(policies.list_rules())
    return enforcer


def _find_file(conf: cfg.ConfigOpts) -> Path:
    name: str = conf.oslo_policy.policy_file
    found = configuration.find_file(conf, name)
    if found is not None:
        return found
    source = conf.get_location("policy_file", "oslo_policy")
    if source and source.location.is_user_controlled:
        raise errors.ConfigurationError(
            f"[oslo_policy] policy_file: {name} does not exist. Create it or "
            "remove the option."
        )
    return _config_dir(conf) / name


def _find_directories(conf: cfg.ConfigOpts) -> Sequence[Path]:
    return [
        configuration.find_file(conf, name) or _config_dir(conf) / name
        for name in conf.oslo_policy.policy_dirs
    ]


def _config_dir(conf: cfg.ConfigOpts) -> Path:
    return Path(conf.config_file[0]).parent


def _check_readable(path: Path) -> None:
    try:
        path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyFileError(
            f"The policy file {path} cannot be read: {error}."
        ) from error


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
