# SPDX-License-Identifier: Apache-2.0
"""Load from wrk, which is far faster than what it measures.

Every answer is looked at: a measurement with one wrong status, or one
connection that failed, is no measurement.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks import programs

_SCRIPT = Path(__file__).with_name("wrk.lua")
_RESULT = "RESULT "
_MORE_SECONDS = 60.0

# wrk leaves with requests on their way.  They are over before the next
# measurement begins, or the rows that it needs are put back.
_SETTLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Requests:
    """What to ask, and what every answer has to be.

    ``at_end`` is for requests that work once only, such as deletions: wrk
    stops after the last path rather than begin again.
    """

    paths: Sequence[str]
    headers: Mapping[str, str]
    status: int = 200
    method: str = "GET"
    body: str = ""
    at_end: Literal["again", "stop"] = "again"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of wrk saw: a second's answers, and milliseconds."""

    rate: float
    p50: float
    p99: float
    answers: int


@dataclass(slots=True)
class Series:
    """The runs of one measurement, a value a round."""

    rate: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def add(self, measured: Measured) -> None:
        """Add a run."""
        self.rate.append(measured.rate)
        self.p50.append(measured.p50)
        self.p99.append(measured.p99)


def available() -> None:
    """Raise ``BenchmarkError`` when wrk is not installed."""
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

    :param may_end: the paths may be used up before the seconds are; the
        rate is then that of the whole time and means nothing.
    :raises BenchmarkError: an answer was wrong or did not come.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as file:
        file.write("\n".join(requests.paths))
        file.flush()
        output = programs.run(
            _command(server, requests, file.name, seconds, connections),
            seconds + _MORE_SECONDS,
        )
    time.sleep(_SETTLE_SECONDS)
    line = next(x for x in output.splitlines() if x.startswith(_RESULT))
    found = json.loads(line.removeprefix(_RESULT))
    if found["unexpected"] or found["failed"] or not found["expected"]:
        message = (
            f"{requests.method} {requests.paths[0]}: {found['expected']} "
            f"answers were {requests.status}, {found['unexpected']} were not "
            f"(the first was {found['first_unexpected']}), "
            f"{found['failed']} failed."
        )
        raise server.failure(message)
    if found["used_up"] and not may_end:
        message = (
            f"{len(requests.paths)} prepared requests were not enough for "
            f"{seconds} seconds."
        )
        raise programs.BenchmarkError(message)
    return Measured(
        rate=round(found["expected"] / found["duration"] * 1e6, 1),
        p50=found["p50"] / 1e3,
        p99=found["p99"] / 1e3,
        answers=found["expected"],
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
