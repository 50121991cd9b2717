# SPDX-License-Identifier: Apache-2.0
import math
import threading
import unittest
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

from console_api import errors
from console_api.bulkhead import (
    Bulkhead,
    RequestSlot,
    acquire_slot,
    max_slots,
)
from console_api.tests.waiting import TIMEOUT, wait_until

# When slots were acquired, in monotonic time, that are released now.
QUICK = math.inf
SLOW = -math.inf


class BulkheadTest(unittest.TestCase):
    def setUp(self) -> None:
        self.pool = ThreadPoolExecutor(4)
        self.addCleanup(self.pool.shutdown)

    def make_full(self, max_wait: float, **options: Any) -> Bulkhead:
        """Return a bulkhead whose two slots are in use."""
        bulkhead = Bulkhead("the test", 2, max_wait=max_wait, **options)
        bulkhead.acquire()
        bulkhead.acquire()
        return bulkhead

    def queue(self, bulkhead: Bulkhead) -> "Future[float]":
        """Acquire a slot in another thread; return when that queues."""
        length = len(bulkhead._queue)
        future = self.pool.submit(bulkhead.acquire)
        wait_until(lambda: len(bulkhead._queue) > length)
        return future

    def test_interrupted_request_leaves_the_queue(self) -> None:
        bulkhead = self.make_full(max_wait=TIMEOUT)
        with (
            mock.patch.object(
                threading.Event, "wait", side_effect=KeyboardInterrupt
            ),
            self.assertRaises(KeyboardInterrupt),
        ):
            bulkhead.acquire()
        bulkhead.release(QUICK)
        bulkhead.acquire()

    def assert_refuses(self, bulkhead: Bulkhead) -> None:
        with self.assertRaises(errors.Overloaded):
            self.pool.submit(bulkhead.acquire).result(TIMEOUT)

    def test_queue_is_served_in_order(self) -> None:
        bulkhead = self.make_full(TIMEOUT)
        first, second = self.queue(bulkhead), self.queue(bulkhead)
        bulkhead.release(QUICK)
        first.result(TIMEOUT)
        self.assertFalse(second.done())
        bulkhead.release(QUICK)
        second.result(TIMEOUT)

    def test_released_slot_is_free(self) -> None:
        bulkhead = self.make_full(0)
        bulkhead.release(SLOW)
        bulkhead.acquire()
        self.assert_refuses(bulkhead)

    def test_nothing_queues_while_requests_are_slow(self) -> None:
        bulkhead = self.make_full(0)
        self.assert_refuses(bulkhead)
        # A request that queued now would not be refused in time.
        bulkhead._max_wait = 10 * TIMEOUT
        self.assert_refuses(bulkhead)
        bulkhead.release(SLOW)
        bulkhead.acquire()
        self.assert_refuses(bulkhead)
        bulkhead.release(QUICK)
        bulkhead.acquire()
        self.queue(bulkhead)
        bulkhead.release(QUICK)

    def test_queue_is_limited(self) -> None:
        bulkhead = self.make_full(TIMEOUT, max_queue=1)
        self.queue(bulkhead)
        self.assert_refuses(bulkhead)
        bulkhead.release(QUICK)

    def test_overload_has_two_log_lines(self) -> None:
        bulkhead = self.make_full(0)
        with self.assertLogs("console_api.bulkhead") as logged:
            for _ in range(3):
                self.assert_refuses(bulkhead)
            bulkhead.release(SLOW)
            bulkhead.release(SLOW)
        refusing, accepting = logged.output
        self.assertIn("2 are waiting for the test", refusing)
        self.assertIn("3 were refused", accepting)


class RequestSlotTest(unittest.TestCase):
    def setUp(self) -> None:
        self.bulkhead = Bulkhead("the test", 1, max_wait=0)

    def assert_free(self) -> None:
        self.bulkhead.release(self.bulkhead.acquire())

    def test_request_has_one_slot_until_its_end(self) -> None:
        with RequestSlot(self.bulkhead):
            self.assert_free()
            acquire_slot()
            acquire_slot()
            with self.assertRaises(errors.Overloaded):
                self.bulkhead.acquire()
        self.assert_free()

    def test_refused_request_releases_nothing(self) -> None:
        self.bulkhead.acquire()
        with (
            self.assertRaises(errors.Overloaded),
            RequestSlot(self.bulkhead),
        ):
            acquire_slot()
        with self.assertRaises(errors.Overloaded):
            self.bulkhead.acquire()

    def test_there_is_no_limit_outside_of_requests(self) -> None:
        self.bulkhead.acquire()
        acquire_slot()
        self.assertIsNone(max_slots())
