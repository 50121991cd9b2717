# SPDX-License-Identifier: Apache-2.0
"""Metrics in the text format of Prometheus."""

import importlib.metadata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from console_api.policy.enforcer import Enforcer
from console_api.policy.findings import Level
from console_api.policy.state import State

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_POLICY = "console_api_policy"


def make_application(enforcer: Enforcer) -> "WSGIApplication":
    """Create the application that returns the metrics.

    The metrics are in a registry of its own: the default one also has those
    of other libraries, and of the process, which differ between workers.
    """
    registry = CollectorRegistry(auto_describe=True)
    registry.register(PolicyCollector(enforcer))
    application: WSGIApplication = make_wsgi_app(registry)
    return application


class PolicyCollector(Collector):
    """Collects the state of the policy files, when it is asked for.

    Every worker looks at the files first, so all of them return the same
    state, whichever processes the request.  Neither the multiprocess mode of
    the library nor a file is necessary.
    """

    def __init__(self, enforcer: Enforcer) -> None:
        """Collect from an enforcer."""
        self._enforcer = enforcer
        self._version = importlib.metadata.version("console-api")

    def collect(self) -> Iterator[Metric]:
        """Return the metrics."""
        yield InfoMetricFamily(
            "console_api_build",
            "Version of console_api.",
            {"version": self._version},
        )
        yield from _policy_metrics(self._enforcer.state())


def _policy_metrics(state: State) -> Iterator[Metric]:
    failure = state.failure
    yield GaugeMetricFamily(
        f"{_POLICY}_last_reload_successful",
        "Whether the policy files are in force, as they are now (1), or were "
        "refused (0).",
        failure is None,
    )
    yield GaugeMetricFamily(
        f"{_POLICY}_last_reload_success_timestamp_seconds",
        "When the policy rules in force were loaded.",
        state.loaded_at.timestamp(),
    )
    refused = GaugeMetricFamily(
        f"{_POLICY}_refused_since_timestamp_seconds",
        "Since when the policy files have been refused; absent if they are "
        "in force.",
    )
    if failure is not None:
        refused.add_metric([], failure.since.timestamp())
    yield refused
    findings = GaugeMetricFamily(
        f"{_POLICY}_findings",
        "Number of findings about the policy files that were read last.",
        labels=["level"],
    )
    counts = dict.fromkeys(map(_label, Level), 0)
    for level, count in state.findings.items():
        counts[_label(level)] += count
    for label, count in counts.items():
        findings.add_metric([label], count)
    yield findings


def _label(level: Level) -> str:
    """Return the level as monitoring systems know it."""
    return level.label.replace(" ", "_")
