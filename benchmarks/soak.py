# SPDX-License-Identifier: Apache-2.0
"""Measure the memory of a gateway while sessions come and go for long."""

import time

from benchmarks import documents, forwarders, gateway, machine
from benchmarks.settings import Log, Settings
from benchmarks.viewers import Viewers

_SESSIONS = 100
_CONCURRENCY = 2

# Seconds between two samples that are kept.
_INTERVAL = 60


def run(settings: Settings, log: Log, minutes: int) -> documents.Soak:
    """Open and close sessions, each with a token and a flood of bytes.

    :param minutes: for how long
    :raises BenchmarkError: a program failed
    """
    with gateway.prepared(settings) as (data, port):
        viewers = Viewers(data.folder)
        resident: list[int] = []
        sessions = 0
        with forwarders.Gateway(data, port) as forwarder:
            began = time.monotonic()
            while (passed := time.monotonic() - began) < 60 * minutes:
                viewers.open(forwarder, _SESSIONS, _CONCURRENCY)
                viewers.measure(forwarder, 1, 1)
                sessions += _SESSIONS + 1
                if passed >= _INTERVAL * len(resident):
                    resident.append(forwarder.resident())
                    log(f"{sessions} sessions, {resident[-1]} KiB")
        return {
            "machine": machine.describe(),
            "minutes": minutes,
            "sessions": sessions,
            "kib": resident,
        }
