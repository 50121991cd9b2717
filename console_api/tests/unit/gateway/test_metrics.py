# SPDX-License-Identifier: Apache-2.0
import asyncio
import unittest
from dataclasses import replace
from typing import Any
from unittest import mock

from prometheus_client.parser import text_string_to_metric_families

from console_api.gateway.brokers.base import BrokerStatistics, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.metrics import Metrics
from console_api.tests.unit.gateway.recorded import CLIENT, GRANT, recorded
from console_api.tests.waiting import wait_until_async

PREFIX = "console_api_gateway"


class MetricsTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.broker = mock.Mock(statistics=BrokerStatistics(3, 2, 1))
        self.broker.trouble = None
        self.metrics = Metrics(self.broker)

    def read(self) -> dict[Any, float]:
        """Return the values of the metrics, by name and labels."""
        body, content_type = self.metrics.generate()
        self.assertIn("text/plain", content_type)
        families = [*text_string_to_metric_families(body.decode())]
        for family in families:
            self.assertTrue(family.documentation)
        return {
            (
                sample.name.removeprefix(f"{PREFIX}_"),
                *sample.labels.values(),
            ): (sample.value)
            for family in families
            for sample in family.samples
        }

    def test_open_sessions_are_counted_by_type(self) -> None:
        first = recorded(10, 1000)
        serial = recorded(1, 2, grant=replace(GRANT, console_type="serial"))
        self.metrics.opened(first, 0.02)
        self.metrics.opened(recorded(5, 500), 0.02)
        self.metrics.opened(serial, 3)
        found = self.read()
        self.assertEqual(2, found["sessions", "novnc"])
        self.assertEqual(1, found["sessions", "serial"])
        self.assertEqual(15, found["received_bytes_total", "novnc"])
        self.assertEqual(1500, found["sent_bytes_total", "novnc"])
        self.assertEqual(2, found["sessions_opened_total", "novnc"])
        self.assertEqual(3, found["dial_seconds_count",])
        self.assertEqual(2, found["dial_seconds_bucket", "0.025"])

    def test_closed_sessions_keep_their_bytes(self) -> None:
        session = recorded(10, 1000)
        self.metrics.opened(session, 0.02)
        self.metrics.closed(session, CloseReason.CUT)
        found = self.read()
        self.assertEqual(0, found["sessions", "novnc"])
        self.assertEqual(10, found["received_bytes_total", "novnc"])
        self.assertEqual(1000, found["sent_bytes_total", "novnc"])
        self.assertEqual(1, found["sessions_closed_total", "cut"])

    def test_refusals_are_counted_by_reason(self) -> None:
        refusal = Refused(
            CloseReason.LIMIT_REACHED, "Too many.", label="user_limit"
        )
        self.metrics.refused(CLIENT, refusal, None)
        self.metrics.refused(CLIENT, refusal, GRANT)
        self.assertEqual(2, self.read()["refusals_total", "user_limit"])

    def test_statistics_of_broker_are_included(self) -> None:
        found = self.read()
        self.assertEqual(3, found["failed_requests_total",])
        self.assertEqual(2, found["failed_heartbeats_total",])
        self.assertEqual(1, found["pending_reports",])
        self.assertEqual(1, found["ready",])
        self.broker.trouble = "The API does not answer."
        self.assertEqual(0, self.read()["ready",])

    def test_process_is_measured(self) -> None:
        self.assertGreater(self.read()["process_resident_memory_bytes",], 0)

    async def test_lag_of_loop_is_measured(self) -> None:
        task = asyncio.create_task(self.metrics.run())
        try:
            await wait_until_async(
                lambda: self.read()["loop_lag_seconds_count",] > 0
            )
        finally:
            task.cancel()
