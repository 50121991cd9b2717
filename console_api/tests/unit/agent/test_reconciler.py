# SPDX-License-Identifier: Apache-2.0
import asyncio
import logging
import threading
import unittest
from collections.abc import Callable, Mapping
from typing import Self
from unittest import mock

from oslo_config import cfg

from console_api import conf, errors
from console_api.agent import notify, reconciler
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.reconciler import Reconciler
from console_api.directory.base import Directory
from console_api.tests.waiting import wait_until_async


def console(number: int, port: int = 5900) -> Console:
    return Console(number, f"server-{number}", "i", "c", port, "pAsSw0rd")


class Feed:
    """A feed whose next answers are what a test has put there."""

    def __init__(self) -> None:
        self.consoles: Mapping[int, Console] = {}
        self.unreadable: Mapping[int, str] = {}
        self.is_registered = False
        self.reports = 0
        self.looks = 0
        self.full_looks = 0
        self.next: list[Mapping[int, Console] | Exception] = []

    def report(self, now: int) -> None:
        del now
        self.reports += 1
        self.is_registered = True

    def read_all(self) -> None:
        self.full_looks += 1
        self.read_changes()

    def read_changes(self) -> None:
        self.looks += 1
        if self.next:
            answer = self.next.pop(0)
            if isinstance(answer, Exception):
                raise answer
            self.consoles = answer


class RecordingDriver(Driver):
    """Notes what it is to make, and fails where it is told to."""

    console_type = "vnc"

    def __init__(self) -> None:
        self.applied: list[list[int]] = []
        self.failures: dict[int, str] = {}
        self.closed = False
        self.hangs = False

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        raise NotImplementedError

    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        self.applied.append(sorted(consoles))
        if self.hangs:
            await asyncio.Event().wait()
        return {
            number: reason
            for number, reason in self.failures.items()
            if number in consoles
        }

    async def close(self) -> None:
        self.closed = True


class ReconcilerCase(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.feed = Feed()
        self.driver = RecordingDriver()
        options = cfg.ConfigOpts()
        for group in (conf.agent,):
            options.register_opts(group.OPTS, group=group.GROUP)
        options.set_override("poll_interval", 0.05, "agent")
        self.now = 1000.0
        self.options = options

    async def run_until(
        self, condition: Callable[[], bool], *answers: object
    ) -> None:
        """Run a reconciler until something is so."""
        self.feed.next.extend(answers)  # type: ignore[arg-type]
        running = Reconciler(
            self.feed,  # type: ignore[arg-type]
            self.driver,
            self.options,
            lambda: self.now,
        )
        task = asyncio.create_task(running.run())
        await wait_until_async(lambda: condition() or task.done())
        running.stop()
        await task


class FollowTest(ReconcilerCase):
    async def test_what_the_feed_says_is_made_once(self) -> None:
        one, two = {1: console(1)}, {1: console(1), 2: console(2)}
        await self.run_until(lambda: self.feed.looks > 4, one, two)
        self.assertEqual([[1], [1, 2]], self.driver.applied)

    async def test_nothing_is_touched_before_something_was_read(self) -> None:
        away = errors.DatabaseUnavailable()
        await self.run_until(lambda: self.feed.looks > 2, away, away)
        self.assertEqual([], self.driver.applied)

    async def test_what_could_not_be_made_is_tried_again(self) -> None:
        self.driver.failures = {1: "the port is taken"}
        with self.assertLogs(reconciler.LOG) as logs:
            await self.run_until(
                lambda: len(self.driver.applied) > 3 or self.pass_time(1),
                {1: console(1)},
                *(errors.DatabaseUnavailable() for _ in range(99)),
            )
        said = [line for line in logs.output if "the port is taken" in line]
        self.assertEqual(1, len(said), logs.output)

    def pass_time(self, seconds: float) -> bool:
        """Let time pass; returns false, as the condition it is part of."""
        self.now += seconds
        return False

    async def test_a_new_try_waits_until_it_is_due(self) -> None:
        self.driver.failures = {1: "the port is taken"}
        with self.assertLogs(reconciler.LOG):
            await self.run_until(lambda: self.feed.looks > 5, {1: console(1)})
        self.assertEqual([[1]], self.driver.applied)

    async def test_all_is_read_at_first_and_then_from_time_to_time(
        self,
    ) -> None:
        seen = {}

        def look() -> bool:
            seen[self.feed.looks] = self.feed.full_looks
            if self.feed.looks == 5:
                self.now = 1000.0 + self.options.agent.full_interval
            return self.feed.looks > 8

        await self.run_until(look)
        self.assertEqual((1, 2), (seen[5], seen[8]))

    async def test_the_end_closes_the_driver(self) -> None:
        await self.run_until(lambda: True)
        self.assertTrue(self.driver.closed)


class TroubleTest(ReconcilerCase):
    async def test_a_database_that_is_away_changes_nothing(self) -> None:
        away = errors.DatabaseUnavailable()
        with self.assertLogs(reconciler.LOG) as logs:
            await self.run_until(
                lambda: self.feed.looks > 5,
                {1: console(1)},
                *(away, away, away),
                {1: console(1), 2: console(2)},
            )
        self.assertEqual([[1], [1, 2]], self.driver.applied)
        warnings = [line for line in logs.output if line.startswith("WARNING")]
        self.assertEqual(2, len(warnings), warnings)

    async def test_what_nobody_has_thought_of_ends_no_session(self) -> None:
        with self.assertLogs(reconciler.LOG) as logs:
            await self.run_until(
                lambda: self.feed.looks > 4,
                {1: console(1)},
                *(ValueError("strange"), ValueError("strange")),
                {2: console(2)},
            )
        self.assertEqual([[1], [2]], self.driver.applied)
        self.assertEqual(
            1, len([line for line in logs.output if "strange" in line])
        )

    async def test_a_host_that_cannot_be_registered_ends_it(self) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, "ports"):
            await self.run_until(
                lambda: False, errors.Conflict("these ports have consoles")
            )
        self.assertTrue(self.driver.closed)

    async def test_it_lives_and_ends_while_a_database_hangs(self) -> None:
        hangs = threading.Event()
        self.addCleanup(hangs.set)
        with (
            mock.patch.object(self.feed, "read_all", hangs.wait),
            mock.patch.object(reconciler, "_BEAT", 0.01),
            mock.patch.object(notify, "send") as send,
        ):
            await self.run_until(lambda: send.call_count > 10)
        self.assertTrue(self.driver.closed)

    async def test_it_reports_lives_and_ends_while_a_driver_hangs(
        self,
    ) -> None:
        self.options.set_override("report_interval", 1, "agent")
        self.driver.hangs = True
        with (
            mock.patch.object(reconciler, "_BEAT", 0.01),
            mock.patch.object(notify, "send") as send,
        ):
            await self.run_until(
                lambda: send.call_count > 10 and self.feed.reports > 1,
                {1: console(1)},
            )
        self.assertEqual([[1]], self.driver.applied)
        self.assertTrue(self.driver.closed)


class LogTest(ReconcilerCase):
    async def test_each_change_is_a_line_without_the_password(self) -> None:
        with self.assertLogs(level=logging.DEBUG) as logs:
            await self.run_until(
                lambda: self.feed.looks > 4,
                {1: console(1)},
                {1: console(1), 2: console(2, 5999)},
                {2: console(2, 5999)},
            )
        text = "\n".join(logs.output)
        self.assertNotIn("pAsSw0rd", text)
        for number, expected in (
            (1, "Console 1 of server server-1 is served on port 5900."),
            (1, "Console 2 of server server-2 is served on port 5999."),
            (1, "Console 1 is gone."),
        ):
            self.assertEqual(number, text.count(expected), text)

    async def test_one_whose_password_is_unreadable_is_said(self) -> None:
        self.feed.unreadable = {7: "no key fits"}
        with self.assertLogs(reconciler.LOG) as logs:
            await self.run_until(lambda: self.feed.looks > 2, {})
        self.assertIn("Console 7 cannot be made: no key", logs.output[0])


class NotifyTest(ReconcilerCase):
    async def test_systemd_learns_what_happens(self) -> None:
        with mock.patch.object(notify, "send") as send:
            await self.run_until(lambda: self.feed.looks > 2, {}, {})
        said = [call.args[0] for call in send.call_args_list]
        self.assertEqual("STOPPING=1", said[-1])
        self.assertIn("WATCHDOG=1", said)
        self.assertEqual(1, said.count("READY=1"))
