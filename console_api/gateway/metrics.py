# SPDX-License-Identifier: Apache-2.0
"""Metrics of a worker in the text format of Prometheus."""

import asyncio
import importlib.metadata
from collections import Counter as Counts
from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from console_api.gateway.brokers.base import Broker, Client, Grant, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.session import Session

_PREFIX = "console_api_gateway"

# Seconds between measurements of the event loop.
_LAG_INTERVAL = 0.5

_LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_DIAL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counts what becomes of sessions; an observer.

    The registry is its own: the default one also has metrics of other
    libraries.
    """

    def __init__(self, broker: Broker) -> None:
        """Begin to count.

        :param broker: whose statistics are included
        """
        self._registry = CollectorRegistry(auto_describe=True)
        self._sessions = _SessionCollector()
        self._registry.register(self._sessions)
        self._registry.register(_BrokerCollector(broker))
        ProcessCollector(registry=self._registry)
        self._opened = Counter(
            f"{_PREFIX}_sessions_opened",
            "Sessions that were opened.",
            ["console_type"],
            registry=self._registry,
        )
        self._closed = Counter(
            f"{_PREFIX}_sessions_closed",
            "Sessions that ended, by reason.",
            ["reason"],
            registry=self._registry,
        )
        self._refused = Counter(
            f"{_PREFIX}_refusals",
            "Sessions that were refused, by reason.",
            ["reason"],
            registry=self._registry,
        )
        self._dial = Histogram(
            f"{_PREFIX}_dial_seconds",
            "Time to connect to a display, with its handshake.",
            registry=self._registry,
            buckets=_DIAL_BUCKETS,
        )
        self._lag = Histogram(
            f"{_PREFIX}_loop_lag_seconds",
            "How late the event loop runs; what is due waits for as long.",
            registry=self._registry,
            buckets=_LAG_BUCKETS,
        )

    def opened(self, session: Session, dial_seconds: float) -> None:
        """Count a session that was opened."""
        self._sessions.open.add(session)
        self._opened.labels(session.grant.console_type).inc()
        self._dial.observe(dial_seconds)

    def refused(
        self,
        client: Client,  # noqa: ARG002 (part of the contract)
        refusal: Refused,
        grant: Grant | None,  # noqa: ARG002 (part of the contract)
    ) -> None:
        """Count a session that was refused."""
        self._refused.labels(refusal.label).inc()

    def closed(self, session: Session, reason: CloseReason) -> None:
        """Count a session that ended."""
        self._sessions.close(session)
        self._closed.labels(reason.label).inc()

    def generate(self) -> tuple[bytes, str]:
        """Return the metrics, and their content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    async def run(self) -> None:
        """Measure the lag of the event loop until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due_at = loop.time() + _LAG_INTERVAL
            await asyncio.sleep(_LAG_INTERVAL)
            self._lag.observe(max(0.0, loop.time() - due_at))


class _SessionCollector(Collector):
    """Sums up the sessions when it is asked for.

    Counting each transfer would cost time in the pump.
    """

    def __init__(self) -> None:
        self.open: set[Session] = set()
        self._received: Counts[str] = Counts()
        self._sent: Counts[str] = Counts()

    def close(self, session: Session) -> None:
        """Keep the traffic of a session that ended."""
        self.open.discard(session)
        self._add(session, self._received, self._sent)

    def collect(self) -> Iterator[Metric]:
        received, sent = self._received.copy(), self._sent.copy()
        # Types without an open session now are 0, not absent.
        count = Counts(dict.fromkeys(received, 0))
        for session in self.open:
            count[session.grant.console_type] += 1
            self._add(session, received, sent)
        families = (
            (
                GaugeMetricFamily(
                    f"{_PREFIX}_sessions",
                    "Open sessions.",
                    labels=["console_type"],
                ),
                count,
            ),
            (
                CounterMetricFamily(
                    f"{_PREFIX}_received_bytes",
                    "Bytes from viewers to displays.",
                    labels=["console_type"],
                ),
                received,
            ),
            (
                CounterMetricFamily(
                    f"{_PREFIX}_sent_bytes",
                    "Bytes from displays to viewers.",
                    labels=["console_type"],
                ),
                sent,
            ),
        )
        for family, values in families:
            for console_type, value in sorted(values.items()):
                family.add_metric([console_type], value)
            yield family

    def _add(
        self, session: Session, received: Counts[str], sent: Counts[str]
    ) -> None:
        traffic = session.traffic
        received[session.grant.console_type] += traffic.bytes_in
        sent[session.grant.console_type] += traffic.bytes_out


class _BrokerCollector(Collector):
    """Collects the statistics of a broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._version = importlib.metadata.version("console-api")

    def collect(self) -> Iterator[Metric]:
        statistics = self._broker.statistics
        yield InfoMetricFamily(
            f"{_PREFIX}_build",
            "Version of console_api.",
            {"version": self._version},
        )
        yield GaugeMetricFamily(
            f"{_PREFIX}_ready",
            "Whether sessions can be opened now.",
            self._broker.trouble is None,
        )
        yield CounterMetricFamily(
            f"{_PREFIX}_failed_requests",
            "Requests to the API, or to Nova, that failed.",
            statistics.failed_requests,
        )
        yield CounterMetricFamily(
            f"{_PREFIX}_failed_heartbeats",
            "Heartbeats to the API that failed.",
            statistics.failed_heartbeats,
        )
        yield GaugeMetricFamily(
            f"{_PREFIX}_pending_reports",
            "Ended sessions that the API has not recorded yet.",
            statistics.pending_reports,
        )
