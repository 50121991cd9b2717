# SPDX-License-Identifier: Apache-2.0
import contextlib
import unittest
from unittest import mock

from console_api import errors
from console_api.bulkhead import Bulkhead, RequestSlot
from console_api.directory.nova import compute_hosts
from console_api.directory.nova.compute_hosts import ComputeHostLimits
from console_api.directory.nova.responses import TimedOut


class ComputeHostLimitsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.limits = ComputeHostLimits()
        self.open = contextlib.ExitStack()
        self.addCleanup(self.open.close)
        self.enterContext(mock.patch.object(compute_hosts, "_MAX_WAIT", 0))

    def in_requests(self) -> None:
        """Let the test run in requests that may use two slots of a host."""
        self.enterContext(RequestSlot(Bulkhead("the test", 4)))

    def begin(self, compute_host: str) -> None:
        """Begin a request that does not end before the test."""
        self.open.enter_context(self.limits.request(compute_host))

    def time_out(self, compute_host: str) -> None:
        with (
            contextlib.suppress(TimedOut),
            self.limits.request(compute_host),
        ):
            raise TimedOut

    def test_one_compute_host_gets_half_of_the_slots(self) -> None:
        self.in_requests()
        for compute_host in ("compute-1", "compute-2"):
            self.begin(compute_host)
            self.begin(compute_host)
            with self.assertRaises(errors.Overloaded):
                self.begin(compute_host)

    def test_compute_hosts_that_timed_out_share_a_limit(self) -> None:
        self.in_requests()
        for number in range(3):
            self.time_out(f"compute-{number}")
        self.begin("compute-0")
        self.begin("compute-1")
        with self.assertRaises(errors.Overloaded):
            self.begin("compute-2")
        self.begin("compute-3")

    def test_successful_request_ends_suspicion(self) -> None:
        self.in_requests()
        self.time_out("compute-1")
        self.time_out("compute-2")
        with self.limits.request("compute-1"):
            pass
        self.begin("compute-2")
        self.begin("compute-2")
        self.begin("compute-1")

    def test_ended_requests_leave_nothing_behind(self) -> None:
        self.in_requests()
        with (
            self.limits.request("compute-1"),
            self.limits.request("compute-1"),
        ):
            self.assertEqual(1, len(self.limits._bulkheads))
        self.assertEqual({}, self.limits._bulkheads)

    def test_there_is_no_limit_outside_of_requests(self) -> None:
        for _ in range(9):
            self.begin("compute-1")
