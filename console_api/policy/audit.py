# SPDX-License-Identifier: Apache-2.0
"""All findings about policy files: their contents, names and permissions."""

from collections.abc import Iterable
from pathlib import Path

from oslo_config import cfg

from console_api.policy import check, permissions, sources
from console_api.policy.files import Contents, PolicyFiles
from console_api.policy.findings import Finding


def of_conf(conf: cfg.ConfigOpts) -> list[Finding]:
    """Return the findings about the policy files of a configuration.

    The files that can be read are checked even if others cannot.
    """
    contents = PolicyFiles(conf).examine()
    contents.findings.extend(each.finding for each in contents.failures)
    return _check(contents)


def of_files(paths: Iterable[Path]) -> list[Finding]:
    """Return the findings about these files alone, with the defaults.

    Who owns them does not matter, because they may be drafts.

    :raises OSError: a file cannot be read, or is too large
    """
    contents = Contents()
    for path in paths:
        contents.files[path] = sources.read(path)
        if path.is_file():
            contents.findings.extend(
                permissions.examine(path, path.stat(), main=None)
            )
    return _check(contents)


def _check(contents: Contents) -> list[Finding]:
    policy = check.check_files(contents.files)
    # Those of several files and directories by path, of each by line.
    return sorted(
        dict.fromkeys([*contents.findings, *policy.findings]),
        key=lambda each: (
            each.path not in contents.files,
            list(contents.files).index(each.path)
            if each.path in contents.files
            else 0,
            each.line or 0,
        ),
    )
