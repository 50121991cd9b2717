# SPDX-License-Identifier: Apache-2.0
"""Run viewers against a forwarder and read what they measured."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from benchmarks import forwarding, programs
from benchmarks.forwarders import Forwarder

_P95 = 0.95


class Throughput(NamedTuple):
    """Bytes per second, and CPU seconds of the forwarder per gigabyte."""

    rate: float
    cpu_per_gb: float


class Opens(NamedTuple):
    """Sessions per second, and seconds until the first byte."""

    rate: float
    p50: float
    p95: float


class Viewers:
    """Viewers in processes of their own, one measurement at a time."""

    def __init__(self, folder: Path) -> None:
        """Prepare.

        :param folder: for files with the paths of sessions
        """
        self._file = folder / "paths"

    def verify(self, forwarder: Forwarder, count: int) -> None:
        """Check that a number of bytes arrive as they were sent.

        :raises BenchmarkError: they do not
        """
        with self._viewer(forwarder, "verify", count, 1) as process:
            _result(process)

    def measure(
        self, forwarder: Forwarder, sessions: int, seconds: int
    ) -> Throughput:
        """Receive as fast as possible in some sessions."""
        with self._viewer(forwarder, "measure", seconds, sessions) as process:
            spent = _cpu_while_measured(process, forwarder)
            rate = _result(process)
        return Throughput(rate, spent / (rate * seconds) * 1e9)

    def echo(self, forwarder: Forwarder, sessions: int, rounds: int) -> float:
        """Exchange short messages; return CPU seconds per round trip."""
        with self._viewer(forwarder, "echo", rounds, sessions) as process:
            spent = _cpu_while_measured(process, forwarder)
            _result(process)
        return spent / (sessions * rounds)

    def open(
        self, forwarder: Forwarder, sessions: int, concurrency: int
    ) -> Opens:
        """Open sessions, some of them at a time, and close each."""
        with self._viewer(forwarder, "open", concurrency, sessions) as process:
            result = _result(process)
        times = sorted(result["seconds"])
        return Opens(
            result["rate"],
            times[len(times) // 2],
            times[int(len(times) * _P95)],
        )

    @contextmanager
    def hold(self, forwarder: Forwarder, sessions: int) -> Iterator[None]:
        """Keep idle sessions open inside the block."""
        with self._viewer(forwarder, "hold", 0, sessions) as process:
            _expect(process, "ready")
            yield

    @contextmanager
    def _viewer(
        self, forwarder: Forwarder, name: str, number: int, sessions: int
    ) -> Iterator[subprocess.Popen[str]]:
        self._file.write_text("\n".join(forwarder.paths(sessions)))
        arguments: Sequence[str] = (name, str(number), str(self._file))
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.websocket_ends"),
                *(*arguments, *forwarder.where),
            ],
            env=programs.environment(forwarding.VARIABLES),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()


def _cpu_while_measured(
    process: subprocess.Popen[str], forwarder: Forwarder
) -> float:
    """Return the CPU seconds that the forwarder spent while measured."""
    _expect(process, "measuring")
    before = forwarder.cpu_seconds()
    _expect(process, "measured")
    after = forwarder.cpu_seconds()
    _pipe(process.stdin).write("\n")
    _pipe(process.stdin).flush()
    return after - before


def _expect(process: subprocess.Popen[str], line: str) -> None:
    if _pipe(process.stdout).readline() != f"{line}\n":
        message = f"The viewers ended before they were {line}."
        raise programs.ProgramFailed(message)


def _result(process: subprocess.Popen[str]) -> Any:
    output = _pipe(process.stdout).read()
    if process.wait():
        message = "The viewers failed; see their error above."
        raise programs.ProgramFailed(message)
    return json.loads(output)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None  # noqa: S101 - it is a pipe
    return pipe
