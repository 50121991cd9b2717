# SPDX-License-Identifier: Apache-2.0
"""Findings about the names and places of policy files."""

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from console_api.policy.findings import Finding, Level


def other_names(file: Path) -> Iterator[Finding]:
    """Find files that may be meant instead of the policy file."""
    is_missing = not os.path.lexists(file)
    for suffix in (".json", ".yml"):
        path = file.with_suffix(suffix)
        if path == file or not path.exists():
            continue
        is_json = suffix == ".json"
        remedy = (
            "Convert it with oslopolicy-convert-json-to-yaml --namespace "
            f"console_api --policy-file {path} --output-file {file}, or set "
            "[oslo_policy] policy_file, or remove it."
            if is_json
            else f"Rename it to {file.name}, or remove it."
        )
        yield Finding(
            path=path,
            level=Level.BROKEN if is_missing else Level.WARNING,
            message=f"{path.name} is not read, and there is no {file.name}."
            if is_missing
            else f"{path.name} is not read, because there is {file.name}.",
            consequence="The service does not start, because it would use the "
            "defaults instead of the file."
            if is_missing
            else "The rules in it have no effect.",
            remedy=remedy if is_missing else "Remove it.",
        )


def other_directories(
    file: Path, directories: Sequence[Path]
) -> Iterator[Finding]:
    """Find directories where oslo.policy's users may expect them."""
    for directory in directories:
        other = file.parent / directory.name
        if other not in directories and other.is_dir():
            yield Finding(
                path=other,
                level=Level.WARNING,
                message=f"The directory is not read; {directory} would be.",
                consequence="The rules in it have no effect.",
                remedy="Move it, or set [oslo_policy] policy_dirs.",
            )


def ignored(path: Path) -> Finding:
    """Return the finding about an entry of a policy directory."""
    if path.name[0] == ".":
        reason = "its name begins with a dot"
    elif path.is_dir():
        reason = "it is a directory"
    else:
        reason = "its name does not end in .yaml, .yml or .json"
    return Finding(
        path=path,
        # Editors leave hidden files while a file is open.
        level=Level.NOTE if path.name[0] == "." else Level.WARNING,
        message=f"The {'directory' if path.is_dir() else 'file'} is not "
        f"read: {reason}.",
        consequence="Rules in it have no effect.",
        remedy="Move it elsewhere, or rename it if it is a policy file.",
    )


def misordered(paths: Sequence[Path]) -> Iterator[Finding]:
    """Find numbered files that are read in another order than by number."""
    numbers = [
        (int(found[0]), path)
        for path in paths
        if (found := re.match(r"\d+", path.name, re.ASCII))
    ]
    for (before, _), (number, path) in itertools.pairwise(numbers):
        if number < before:
            yield Finding(
                path=path,
                level=Level.NOTE,
                message=f"The file is read after that with number {before}: "
                "files are in the order of their names as text.",
                consequence="Its rules override those of the other file.",
                remedy="Write all numbers with the same number of digits.",
            )
