# SPDX-License-Identifier: Apache-2.0
"""Generate load with wrk, which is far faster than what it measures.

The status of every response is checked: a single unexpected status or failed
connection invalidates the measurement.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks import documents, programs

_SCRIPT = Path(__file__).with_name("wrk.lua")
_RESULT = "RESULT "
_EXTRA_TIMEOUT = 60.0

# wrk exits with requests in flight.  They end before the next measurement
# begins, and before the rows that it needs are restored.
_SETTLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests that differ in their paths, and the expected status.

    ``at_end`` is "stop" for requests that succeed only once, such as
    deletions: wrk then stops after the last path instead of repeating them.
    """

    paths: Sequence[str]
    headers: Mapping[str, str]
    status: int = 200
    method: str = "GET"
    body: str = ""
    at_end: Literal["again", "stop"] = "again"


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one run: responses per second, milliseconds."""

    rate: float
    p50: float
    p99: float
    responses: int


@dataclass(slots=True)
class Series:
    """The runs of one measurement, one per round."""

    rate: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def add(self, measured: Measured) -> None:
        """Add a run."""
        self.rate.append(measured.rate)
        self.p50.append(measured.p50)
        self.p99.append(measured.p99)

    def document(self) -> documents.Series:
        """Return the series as it is stored."""
        return {"rate": self.rate, "p50": self.p50, "p99": self.p99}


def check_installed() -> None:
    """Check that wrk is installed.

    :raises BenchmarkError: it is not
    """
    if shutil.which("wrk") is None:
        message = "wrk is not installed. Install it (apt-get install wrk)."
        raise programs.BenchmarkError(message)


def run(
    server: programs.GunicornServer,
    requests: Requests,
    *,
    seconds: int,
    connections: int = 4,
    may_end: bool = False,
) -> Measured:
    """Send requests for some seconds over some connections.

    :param may_end: whether the paths may run out before the time does; the
        rate is then meaningless, because it covers the whole time
    :raises BenchmarkError: a response was wrong or missing
    """
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as file:
        file.write("\n".join(requests.paths))
        file.flush()
        output = programs.run(
            _command(server, requests, file.name, seconds, connections),
            seconds + _EXTRA_TIMEOUT,
        )
    time.sleep(_SETTLE_SECONDS)
    line = next(x for x in output.splitlines() if x.startswith(_RESULT))
    found = json.loads(line.removeprefix(_RESULT))
    if found["unexpected"] or found["failed"] or not found["expected"]:
        message = (
            f"returned {found['expected']} responses with status "
            f"{requests.status} to {requests.method} {requests.paths[0]}, "
            f"{found['unexpected']} with another (the first: "
            f"{found['first_unexpected']}), and failed {found['failed']} times"
        )
        raise server.failure(message)
    if found["used_up"] and not may_end:
        message = (
            f"The {len(requests.paths)} prepared requests did not last "
            f"{seconds} seconds."
        )
        raise programs.BenchmarkError(message)
    return Measured(
        rate=round(found["expected"] / found["duration"] * 1e6, 1),
        p50=found["p50"] / 1e3,
        p99=found["p99"] / 1e3,
        responses=found["expected"],
    )


def _command(
    server: programs.GunicornServer,
    requests: Requests,
    paths: str,
    seconds: int,
    connections: int,
) -> list[str]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for name, value in requests.headers.items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(_SCRIPT), "--", server.url("/"), paths]
    command += [requests.method, str(requests.status), requests.at_end]
    return [*command, requests.body] if requests.body else command
