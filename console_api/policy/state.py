# SPDX-License-Identifier: Apache-2.0
"""Which policy files are in force, for monitoring."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from console_api.policy.findings import Level

if TYPE_CHECKING:
    from console_api.policy.files import Stamps

# How much the times of files may be behind: a tick of the kernel.
_MAX_LAG = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the policy files cannot be used, and since when."""

    since: datetime
    lines: list[str]


@dataclass(frozen=True, slots=True)
class State:
    """The state of the policy files in a worker.

    ``loaded_at`` is when the rules in force were loaded.  ``failure`` is None
    if they are those of the files.  ``findings`` are the numbers of findings
    about the files that were read last, whether or not they are in force.
    """

    loaded_at: datetime
    failure: Failure | None
    findings: Mapping[Level, int]


def out_of_date_since(
    loaded_at: datetime, before: "Stamps", now: "Stamps"
) -> datetime:
    """Return since when the rules in force have not been those of the files.

    Each worker notices an edit only when it processes a request, but the time
    of the edit is the same for all of them.

    :param before: the state of the files that were loaded
    :param now: the state of the files that were refused
    """
    present = datetime.now(UTC)
    times = []
    for path, stamp in now.items():
        if stamp != before.get(path):
            with contextlib.suppress(OSError):
                times.append(path.lstat().st_ctime)
    changed = datetime.fromtimestamp(max(times, default=0), UTC)
    # Otherwise a file was removed, cannot be read, or was mounted, or the
    # clock of a file server differs.
    is_plausible = loaded_at - _MAX_LAG <= changed <= present
    return changed if is_plausible else present
