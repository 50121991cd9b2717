# SPDX-License-Identifier: Apache-2.0
"""Settings that all measurements share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import databases

#: Each WSGI server has one worker of four threads, as many as connections.
WORKERS = 1
THREADS = 4
CONNECTIONS = 4

#: Print a line about the progress.
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What to measure, and for how long.

    :param kinds: the databases
    :param names: the operations
    :param rounds: how many times each is measured
    :param seconds: how long each measurement takes
    :param admin_urls: accounts that may create databases, by kind
    """

    kinds: Sequence[databases.Kind]
    names: Sequence[str]
    rounds: int
    seconds: int
    admin_urls: Mapping[str, str]
