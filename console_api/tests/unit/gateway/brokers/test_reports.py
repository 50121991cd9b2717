# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest
import uuid
from dataclasses import dataclass, field
from typing import Any

from console_api.gateway.brokers import reports
from console_api.gateway.brokers.base import Traffic
from console_api.gateway.brokers.reports import EndedSessions, TrafficReports


@dataclass
class Named:
    session_id: str


@dataclass
class Session:
    """An open session whose traffic the test sets."""

    grant: Any
    traffic: Traffic = field(default_factory=lambda: Traffic(0, 0, 0.0))


def session(number: int) -> Any:
    return Session(Named(str(uuid.UUID(int=number))))


class TrafficReportsTest(unittest.TestCase):
    def test_unchanged_sessions_are_not_reported(self) -> None:
        traffic = TrafficReports()
        traffic.add(session(1), now=0)
        [report] = traffic.changed(now=100)
        self.assertEqual([], report.documents)
        self.assertFalse(report.is_complete)

    def test_changes_are_reported_every_ten_seconds(self) -> None:
        traffic = TrafficReports()
        busy = session(1)
        traffic.add(busy, now=0)
        reported = []
        for now in range(31):
            busy.traffic = Traffic(now, 2 * now, 0.9)
            [report] = traffic.changed(now)
            reported += [(now, each) for each in report.documents]
        self.assertEqual([10, 20, 30], [now for now, _each in reported])
        self.assertEqual(
            {
                "id": busy.grant.session_id,
                "bytes_in": 10,
                "bytes_out": 20,
                "idle_seconds": 0,
            },
            reported[0][1],
        )

    def test_removed_session_is_not_reported(self) -> None:
        traffic = TrafficReports()
        added = session(1)
        traffic.add(added, now=0)
        traffic.remove(added)
        [report] = traffic.all(now=0)
        self.assertEqual([], report.documents)
        self.assertIsNone(traffic.find(added.grant.session_id))

    def test_complete_report_of_few_sessions_has_no_range(self) -> None:
        traffic = TrafficReports()
        traffic.add(session(1), now=0)
        [report] = traffic.all(now=0)
        self.assertTrue(report.is_complete)
        self.assertIsNone(report.first)
        self.assertIsNone(report.last)

    def test_every_id_is_in_one_part_of_complete_report(self) -> None:
        traffic = TrafficReports()
        count = 2 * reports.BATCH_SIZE + 1
        for number in range(count):
            traffic.add(session(number * 7 + 3), now=0)
        parts = traffic.all(now=0)
        self.assertEqual(3, len(parts))
        self.assertEqual(count, sum(len(part.documents) for part in parts))
        for part in parts:
            for each in part.documents:
                self.assertLessEqual(part.first or "", each["id"])
                self.assertGreaterEqual(part.last or "", each["id"])
        self.assertEqual(str(uuid.UUID(int=0)), parts[0].first)
        self.assertEqual(str(uuid.UUID(int=2**128 - 1)), parts[-1].last)
        for part, following in itertools.pairwise(parts):
            self.assertEqual(
                uuid.UUID(part.last).int + 1, uuid.UUID(following.first).int
            )


class EndedSessionsTest(unittest.TestCase):
    def test_sessions_are_kept_in_order(self) -> None:
        ended = EndedSessions()
        for number in range(reports.BATCH_SIZE + 2):
            ended.add(str(number), "cut", Traffic(0, 0, 0))
        taken = ended.take()
        self.assertEqual(reports.BATCH_SIZE, len(taken))
        self.assertEqual(2, len(ended))
        ended.put_back(taken)
        self.assertEqual(taken, ended.take())

    def test_memory_is_bounded(self) -> None:
        ended = EndedSessions()
        for number in range(reports._MAX_PENDING):
            ended.add(str(number), "cut", Traffic(0, 0, 0))
        self.assertFalse(ended.is_incomplete)
        ended.add("the-last-one", "cut", Traffic(0, 0, 0))
        self.assertEqual(reports._MAX_PENDING, len(ended))
        self.assertTrue(ended.is_incomplete)
        self.assertEqual("1", ended.take()[0]["id"])
