# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.gateway.attempts import Attempts
from console_api.gateway.brokers.base import Client, Credential, Refused
from console_api.gateway.brokers.guard import GuardedBroker
from console_api.gateway.close_reasons import CloseReason
from console_api.tests.unit.gateway.base import FakeBroker, grant

ADDRESS = "192.0.2.1"


class AttemptsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 1000.0
        self.attempts = Attempts(3, lambda: self.now)

    def record(self, *addresses: str) -> None:
        for address in addresses:
            self.attempts.record(address)

    def test_address_waits_until_the_minute_is_over(self) -> None:
        self.record(ADDRESS, ADDRESS)
        self.assertIsNone(self.attempts.retry_after(ADDRESS))
        self.now += 20.5
        self.record(ADDRESS)
        self.assertEqual(40, self.attempts.retry_after(ADDRESS))
        self.assertIsNone(self.attempts.retry_after("192.0.2.2"))
        self.now += 39.5
        self.assertIsNone(self.attempts.retry_after(ADDRESS))
        self.record(ADDRESS)
        self.assertIsNone(self.attempts.retry_after(ADDRESS))

    def test_attempts_at_once_count_before_they_are_refused(self) -> None:
        self.record(ADDRESS)
        with self.attempts.pending(ADDRESS):
            self.assertIsNone(self.attempts.retry_after(ADDRESS))
            with self.attempts.pending(ADDRESS):
                self.assertEqual(61, self.attempts.retry_after(ADDRESS))
                self.assertIsNone(self.attempts.retry_after("192.0.2.2"))
        self.assertIsNone(self.attempts.retry_after(ADDRESS))

    def test_network_of_ipv6_is_one_client(self) -> None:
        self.record("2001:db8::1", "2001:db8::2", "2001:db8::3")
        self.assertIsNotNone(self.attempts.retry_after("2001:db8::4"))
        self.assertIsNone(self.attempts.retry_after("2001:db8:0:1::4"))

    def test_number_of_addresses_is_bounded(self) -> None:
        for number in range(30_000):
            self.record(
                f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            )
        self.assertLessEqual(len(self.attempts._counts), 20_000)


class GuardedBrokerTest(unittest.IsolatedAsyncioTestCase):
    async def test_address_that_guesses_is_refused(self) -> None:
        broker = FakeBroker()
        guarded = GuardedBroker(broker, Attempts(3))
        guess = Credential(token="guess")
        for _ in range(3):
            with self.assertRaises(Refused) as caught:
                await guarded.open(guess, Client(ADDRESS))
            self.assertIs(CloseReason.INVALID_TOKEN, caught.exception.reason)
        broker.grant = grant(1)
        for attempt in (
            guarded.open(guess, Client(ADDRESS)),
            guarded.exchange(Credential(token="guess"), Client(ADDRESS)),
        ):
            with self.assertRaises(Refused) as caught:
                await attempt
            self.assertEqual("attempt_limit", caught.exception.label)
            self.assertIsNotNone(caught.exception.retry_after)
        self.assertEqual(3, len(broker.credentials))
        await guarded.open(guess, Client("192.0.2.2"))

    async def test_other_refusals_are_no_guesses(self) -> None:
        broker = FakeBroker()
        guarded = GuardedBroker(broker, Attempts(3))
        broker.refusal = Refused(CloseReason.UNAVAILABLE, "Down.")
        for _ in range(10):
            with self.assertRaisesRegex(Refused, "Down"):
                await guarded.open(Credential(token="T"), Client(ADDRESS))
