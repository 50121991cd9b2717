# SPDX-License-Identifier: Apache-2.0
"""Measure the gateway beside socat and websockify, in one run."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import (
    databases,
    documents,
    forwarders,
    forwarding,
    machine,
    programs,
    stage,
)
from benchmarks.forwarders import Forwarder
from benchmarks.settings import Log, Settings
from benchmarks.viewers import Viewers

#: Many sessions at a time, idle sessions, and sessions opened at once.
MANY = 100
IDLE = 1_000
OPENED = 400
CONCURRENCY = 16

# For programs with a process per connection, which take megabytes each.
_FEW_IDLE = 100

_ECHO_ROUNDS = 100
_VERIFIED_BYTES = 256 * 2**20
_SETTLE_SECONDS = 2.0
_QUICK_DIVISOR = 10


def run(
    settings: Settings, log: Log, *, quick: bool = False
) -> documents.Gateway:
    """Measure the gateway with its API on MariaDB or MySQL.

    :param quick: whether to use a tenth of the sessions
    :raises BenchmarkError: a program failed, or forwarded wrong bytes
    """
    with ExitStack() as stack:
        data, port = stack.enter_context(prepared(settings))
        running = [
            stack.enter_context(forwarder)
            for forwarder in forwarders.all_of(data, port)
        ]
        bench = _GatewayBenchmark(
            settings, running, data.folder, log, _QUICK_DIVISOR if quick else 1
        )
        measured = bench.run()
        with forwarders.Gateway(data, port, tls=True) as gateway:
            tls = bench.memory_each(gateway)
        return {
            "machine": {
                **machine.describe(),
                "socat": forwarding.socat_version(),
            },
            "settings": {
                "rounds": settings.rounds,
                "seconds": settings.seconds,
            },
            "version": machine.database_version(data.url),
            "measured": measured,
            "tls_kib_each": tls,
        }


@contextmanager
def prepared(settings: Settings) -> Iterator[tuple[stage.Stage, int]]:
    """Prepare an API and run a display; yield its port, too."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench_"))
        )
        [url] = stack.enter_context(
            databases.temporary(
                "mysql", folder, ["gateway"], settings.admin_urls.get("mysql")
            )
        )
        data = stack.enter_context(stage.open_stage(folder / "own", url, 1))
        port = programs.free_port()
        stack.enter_context(forwarding.display(port))
        yield data, port


class _GatewayBenchmark:
    """The measurements; the first of the forwarders is the gateway."""

    def __init__(
        self,
        settings: Settings,
        running: Sequence[Forwarder],
        folder: Path,
        log: Log,
        divisor: int,
    ) -> None:
        self._settings = settings
        self._running = running
        self._divisor = divisor
        self._viewers = Viewers(folder)
        self._log = log

    def run(self) -> dict[str, documents.Forwarded]:
        """Measure all forwarders in turn, after a round for warming up."""
        measured: dict[str, documents.Forwarded] = {
            forwarder.name: {} for forwarder in self._running
        }
        for is_counted in (False, *[True] * self._settings.rounds):
            for forwarder in self._running:
                for name, value in self._round(forwarder).items():
                    if is_counted:
                        series = measured[forwarder.name]
                        series.setdefault(name, []).append(value)
        for forwarder in self._running:
            if forwarder.only_opens:
                continue
            each = self.memory_each(forwarder)
            measured[forwarder.name]["kib_each"] = [each]
        return measured

    def _round(self, forwarder: Forwarder) -> Mapping[str, float]:
        measured = {} if forwarder.only_opens else self._traffic(forwarder)
        opened = self._viewers.open(
            forwarder, OPENED // self._divisor, CONCURRENCY
        )
        self._log(
            f"{forwarder.name}: {opened.rate:,.0f} opens/s, first byte p95 "
            f"{opened.p95 * 1e3:.1f} ms"
        )
        return {
            **measured,
            "opens": opened.rate,
            "first_p50": opened.p50,
            "first_p95": opened.p95,
        }

    def _traffic(self, forwarder: Forwarder) -> Mapping[str, float]:
        self._viewers.verify(forwarder, _VERIFIED_BYTES)
        one = self._viewers.measure(forwarder, 1, self._settings.seconds)
        count = MANY // self._divisor
        many = self._viewers.measure(forwarder, count, self._settings.seconds)
        echo = self._viewers.echo(forwarder, count, _ECHO_ROUNDS)
        self._log(
            f"{forwarder.name}: {one.rate / 1e6:,.0f} MB/s, "
            f"{one.cpu_per_gb:.2f} CPU s/GB; {count} sessions "
            f"{many.rate / 1e6:,.0f} MB/s, {many.cpu_per_gb:.2f} CPU s/GB; "
            f"{echo * 1e6:.0f} us CPU per round trip"
        )
        return {
            "rate": one.rate,
            "cpu_per_gb": one.cpu_per_gb,
            "many_rate": many.rate,
            "many_cpu_per_gb": many.cpu_per_gb,
            "echo_cpu": echo,
        }

    def memory_each(self, forwarder: Forwarder) -> float:
        """Return the memory that each idle session adds, in KiB."""
        count = IDLE if forwarder.is_one_process else _FEW_IDLE
        count //= self._divisor
        with self._holding(forwarder, 1):
            before = forwarder.resident()
        with self._holding(forwarder, count):
            after = forwarder.resident()
        each = round((after - before) / count, 1)
        self._log(f"{forwarder.name}: {count} idle sessions: {each} KiB each")
        return each

    @contextmanager
    def _holding(self, forwarder: Forwarder, count: int) -> Iterator[None]:
        with self._viewers.hold(forwarder, count):
            time.sleep(_SETTLE_SECONDS)
            yield
