# SPDX-License-Identifier: Apache-2.0
import importlib.metadata
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from prometheus_client.parser import text_string_to_metric_families

from console_api.api import metrics
from console_api.policy.findings import Level
from console_api.policy.state import Failure, State
from console_api.tests.unit import base

LOADED = datetime(2030, 1, 1, tzinfo=UTC)
POLICY = "console_api_policy"


class MetricsTest(base.FolderCase):
    def read(self, state: State, query: str = "") -> dict[Any, float]:
        """Return the values of the metrics, by name and labels."""
        enforcer = mock.Mock(**{"state.return_value": state})
        reply = base.call(
            metrics.make_application(enforcer),
            path="/metrics",
            environ={"QUERY_STRING": query},
        )
        self.assertEqual(200, reply.status)
        self.assertIn("text/plain", reply.headers["Content-Type"])
        text = reply.body.decode()
        for family in text_string_to_metric_families(text):
            self.assertTrue(family.documentation)
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def test_policy_in_force_is_successful(self) -> None:
        found = self.read(State(LOADED, None, {Level.WARNING: 2}))
        self.assertEqual(1, found[f"{POLICY}_last_reload_successful",])
        self.assertEqual(
            LOADED.timestamp(),
            found[f"{POLICY}_last_reload_success_timestamp_seconds",],
        )
        self.assertNotIn((f"{POLICY}_refused_since_timestamp_seconds",), found)

    def test_findings_are_counted_for_each_level(self) -> None:
        found = self.read(State(LOADED, None, {Level.WARNING: 2}))
        for level, count in (("error", 0), ("warning", 2), ("note", 0)):
            self.assertEqual(count, found[f"{POLICY}_findings", level])

    def test_version_is_shown(self) -> None:
        version = importlib.metadata.version("console-api")
        found = self.read(State(LOADED, None, {}))
        self.assertEqual(1, found["console_api_build_info", version])

    def test_refused_policy_is_shown_since_when(self) -> None:
        since = LOADED + timedelta(hours=1)
        failure = Failure(since, ["/etc/secret.yaml:1: broken"])
        found = self.read(
            State(LOADED, failure, {Level.BROKEN: 1, Level.ERROR: 2})
        )
        self.assertEqual(0, found[f"{POLICY}_last_reload_successful",])
        self.assertEqual(
            since.timestamp(),
            found[f"{POLICY}_refused_since_timestamp_seconds",],
        )
        self.assertEqual(3, found[f"{POLICY}_findings", "error"])

    def test_single_metrics_can_be_requested(self) -> None:
        name = f"{POLICY}_last_reload_successful"
        found = self.read(State(LOADED, None, {}), f"name[]={name}")
        self.assertEqual({(name,): 1}, found)
