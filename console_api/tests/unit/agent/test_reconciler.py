# SPDX-License-Identifier: Apache-2.0
import asyncio
import importlib.metadata
import logging
import threading
import time
import unittest
from collections.abc import Callable, Mapping
from typing import Self
from unittest import mock

from oslo_config import cfg

from console_api import conf, errors
from console_api.agent import reconciler as module
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.reconciler import Reconciler
from console_api.db.heartbeats import AgentReport
from console_api.directory.base import Directory
from console_api.net import notify
from console_api.tests.waiting import wait_until_async


def console(number: int, port: int = 5900) -> Console:
    return Console(number, f"server-{number}", "i", "c", port, "pAsSw0rd")


class Feed:
    """A feed with the answers that a test has queued."""

    def __init__(self) -> None:
        self.consoles: Mapping[int, Console] = {}
        self.unreadable: Mapping[int, str] = {}
        self.revision: int | None = None
        self.is_registered = False
        self.cannot_report = False
        self.cannot_report_problems = False
        self.reports: list[AgentReport] = []
        self.problems: list[Mapping[int, str]] = []
        self.reads = 0
        self.full_reads = 0
        self.expiry_checks = 0
        self.expired: set[int] = set()
        self.answers: list[Mapping[int, Console] | Exception] = []

    def report_problems(self, problems: Mapping[int, str]) -> None:
        if self.cannot_report_problems:
            raise errors.DatabaseUnavailable("the rows are locked")
        self.problems.append(problems)

    def report(self, report: AgentReport) -> None:
        self.reports.append(report)
        if self.cannot_report:
            raise errors.DatabaseUnavailable("it is read-only")
        self.is_registered = True

    def read_clock(self) -> int:
        return int(time.time())

    def drop_expired(self) -> None:
        self.expiry_checks += 1

    def unexpired(self) -> Mapping[int, Console]:
        return {
            number: console
            for number, console in self.consoles.items()
            if number not in self.expired
        }

    def read_all(self) -> None:
        self.full_reads += 1
        self.read_changes()

    def read_changes(self) -> None:
        self.reads += 1
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            self.consoles = answer
            self.revision = self.reads


class RecordingDriver(Driver):
    """Records what is applied; consoles in ``failures`` fail."""

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
        """Run a reconciler until a condition is true."""
        self.feed.answers.extend(answers)  # type: ignore[arg-type]
        reconciler = Reconciler(
            self.feed,  # type: ignore[arg-type]
            self.driver,
            self.options,
            lambda: self.now,
        )
        task = asyncio.create_task(reconciler.run())
        await wait_until_async(lambda: condition() or task.done())
        reconciler.stop()
        await task


class FollowTest(ReconcilerCase):
    async def test_changed_consoles_are_applied_once(self) -> None:
        one, two = {1: console(1)}, {1: console(1), 2: console(2)}
        await self.run_until(lambda: self.feed.reads > 4, one, two)
        self.assertEqual([[1], [1, 2]], self.driver.applied)

    async def test_nothing_is_applied_before_first_read(self) -> None:
        unavailable = errors.DatabaseUnavailable()
        await self.run_until(
            lambda: self.feed.reads > 2, unavailable, unavailable
        )
        self.assertEqual([], self.driver.applied)

    async def test_failed_console_is_retried_and_logged_once(self) -> None:
        self.driver.failures = {1: "the port is taken"}
        with self.assertLogs("console_api.agent") as logs:
            await self.run_until(
                lambda: len(self.driver.applied) > 3 or self.pass_time(1),
                {1: console(1)},
                *(errors.DatabaseUnavailable() for _ in range(99)),
            )
        logged = [line for line in logs.output if "the port is taken" in line]
        self.assertEqual(1, len(logged), logs.output)

    def pass_time(self, seconds: float) -> bool:
        """Advance the clock; return False, for use in a condition."""
        self.now += seconds
        return False

    async def test_retry_waits_for_its_interval(self) -> None:
        self.driver.failures = {1: "the port is taken"}
        with self.assertLogs("console_api.agent"):
            await self.run_until(lambda: self.feed.reads > 5, {1: console(1)})
        self.assertEqual([[1]], self.driver.applied)

    async def test_full_read_is_repeated_after_interval(self) -> None:
        full_reads = {}

        def is_done() -> bool:
            full_reads[self.feed.reads] = self.feed.full_reads
            if self.feed.reads == 5:
                self.now = 1000.0 + self.options.agent.full_interval
            return self.feed.reads > 8

        await self.run_until(is_done)
        self.assertEqual((1, 2), (full_reads[5], full_reads[8]))

    async def test_stop_closes_driver(self) -> None:
        await self.run_until(lambda: True)
        self.assertTrue(self.driver.closed)


class FailureTest(ReconcilerCase):
    async def test_unavailable_database_changes_nothing(self) -> None:
        unavailable = errors.DatabaseUnavailable()
        with self.assertLogs("console_api.agent") as logs:
            await self.run_until(
                lambda: self.feed.reads > 5,
                {1: console(1)},
                *(unavailable, unavailable, unavailable),
                {1: console(1), 2: console(2)},
            )
        self.assertEqual([[1], [1, 2]], self.driver.applied)
        warnings = [line for line in logs.output if line.startswith("WARNING")]
        self.assertEqual(2, len(warnings), warnings)
        # Consoles expire although the database is unavailable.
        self.assertEqual(self.feed.reads, self.feed.expiry_checks)

    async def test_unexpected_error_changes_nothing(self) -> None:
        with self.assertLogs("console_api.agent") as logs:
            await self.run_until(
                lambda: self.feed.reads > 4,
                {1: console(1)},
                *(ValueError("unforeseen"), ValueError("unforeseen")),
                {2: console(2)},
            )
        self.assertEqual([[1], [2]], self.driver.applied)
        self.assertEqual(
            1, len([line for line in logs.output if "unforeseen" in line])
        )

    async def test_failed_registration_ends_run(self) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, "ports"):
            await self.run_until(
                lambda: False, errors.Conflict("these ports have consoles")
            )
        self.assertTrue(self.driver.closed)

    async def test_hanging_database_does_not_block_watchdog(
        self,
    ) -> None:
        hangs = threading.Event()
        self.addCleanup(hangs.set)
        with (
            mock.patch.object(self.feed, "read_all", hangs.wait),
            mock.patch.object(module, "_WATCHDOG_INTERVAL", 0.01),
            mock.patch.object(notify, "send") as send,
        ):
            await self.run_until(lambda: send.call_count > 10)
        self.assertTrue(self.driver.closed)

    async def test_consoles_expire_while_database_hangs(self) -> None:
        hangs = threading.Event()
        self.addCleanup(hangs.set)
        read_changes = self.feed.read_changes

        def hang() -> None:
            if self.feed.reads > 1:
                self.feed.expired = {2}
                hangs.wait(20)
            read_changes()

        self.feed.read_changes = hang  # type: ignore[method-assign]
        await self.run_until(
            lambda: [1] in self.driver.applied, {1: console(1), 2: console(2)}
        )
        self.assertEqual([1, 2], self.driver.applied[0])

    async def test_hanging_driver_does_not_block_heartbeats(self) -> None:
        self.options.set_override("report_interval", 1, "agent")
        self.driver.hangs = True
        with (
            mock.patch.object(module, "_WATCHDOG_INTERVAL", 0.01),
            mock.patch.object(notify, "send") as send,
        ):
            await self.run_until(
                lambda: send.call_count > 10 and len(self.feed.reports) > 1,
                {1: console(1)},
            )
        self.assertEqual([[1]], self.driver.applied)
        self.assertTrue(self.driver.closed)


class ReportTest(ReconcilerCase):
    async def report_when(
        self, condition: Callable[[], bool], *answers: object
    ) -> AgentReport:
        """Return the last report after a condition became true."""
        await self.run_until(condition, *answers)
        return self.feed.reports[-1]

    async def test_applied_revision_is_reported_at_once(self) -> None:
        report = await self.report_when(
            lambda: len(self.feed.reports) > 1, {1: console(1), 2: console(2)}
        )
        self.assertIsNone(self.feed.reports[0].served_revision)
        self.assertEqual(
            AgentReport(
                importlib.metadata.version("console-api"), "vnc", None, 1, 2
            ),
            report,
        )

    async def test_failed_consoles_are_reported_with_reasons(self) -> None:
        self.driver.failures = {2: "the port is taken"}
        self.feed.unreadable = {3: "no key decrypts it"}
        report = await self.report_when(
            lambda: len(self.feed.reports) > 1,
            {1: console(1), 2: console(2)},
        )
        self.assertEqual((1, 2), (report.served_count, report.failed_count))
        self.assertEqual(
            {2: "the port is taken", 3: "no key decrypts it"},
            self.feed.problems[-1],
        )

    async def test_recovered_console_is_reported(self) -> None:
        self.options.set_override("retry_interval", 1, "agent")
        self.driver.failures = {1: "the port is taken"}

        def is_recovered() -> bool:
            if self.feed.problems:
                self.driver.failures = {}
                self.now += 1
            return (
                {} in self.feed.problems
                and self.feed.reports[-1].failed_count == 0
            )

        report = await self.report_when(is_recovered, {1: console(1)})
        self.assertEqual((1, 0), (report.served_count, report.failed_count))

    async def test_failing_driver_is_trouble_until_it_recovers(self) -> None:
        apply = self.driver.apply

        def is_over() -> bool:
            if self.feed.reports and self.feed.reports[-1].trouble:
                self.assertIsNone(self.feed.reports[-1].served_revision)
                self.driver.apply = apply  # type: ignore[method-assign]
            return self.feed.reports[-1:] != [] and (
                self.feed.reports[-1].served_count == 1
            )

        self.driver.apply = mock.Mock(  # type: ignore[method-assign]
            side_effect=ValueError("a bug")
        )
        with self.assertLogs("console_api.agent"):
            report = await self.report_when(is_over, {1: console(1)})
        self.assertIsNone(report.trouble)
        self.assertIn(
            module._DRIVER_FAILED, [r.trouble for r in self.feed.reports]
        )

    async def test_trouble_of_driver_is_reported(self) -> None:
        trouble = "no more files can be opened"
        with mock.patch.object(RecordingDriver, "trouble", trouble):
            report = await self.report_when(
                lambda: len(self.feed.reports) > 1, {1: console(1)}
            )
        self.assertEqual(trouble, report.trouble)

    async def test_revision_is_not_reported_before_its_problems(self) -> None:
        self.options.set_override("report_interval", 1, "agent")
        self.feed.cannot_report_problems = True
        self.driver.failures = {1: "the port is taken"}

        def is_done() -> bool:
            if len(self.feed.reports) > 1:
                # A heartbeat: the agent is alive nevertheless.
                self.feed.cannot_report_problems = False
            return bool(self.feed.problems)

        with self.assertLogs("console_api.agent", "WARNING") as logs:
            await self.run_until(is_done, {1: console(1)})
        self.assertIsNone(self.feed.reports[1].served_revision)
        self.assertIn("which consoles are served", logs.output[-1])


class LogTest(ReconcilerCase):
    async def test_failing_heartbeats_are_logged_once(self) -> None:
        self.options.set_override("report_interval", 1, "agent")
        self.feed.is_registered = True
        self.feed.cannot_report = True

        def is_done() -> bool:
            if len(self.feed.reports) == 2:
                self.feed.cannot_report = False
            return len(self.feed.reports) > 3

        with self.assertLogs("console_api.agent", "WARNING") as logs:
            await self.run_until(is_done)
        failure, recovery = (r.getMessage() for r in logs.records)
        self.assertIn("Cannot record the heartbeat", failure)
        self.assertIn("it is read-only", failure)
        self.assertEqual("Recording heartbeats again.", recovery)

    async def test_each_change_is_logged_without_password(self) -> None:
        with self.assertLogs(level=logging.DEBUG) as logs:
            await self.run_until(
                lambda: self.feed.reads > 4,
                {1: console(1)},
                {1: console(1), 2: console(2, 5999)},
                {2: console(2, 5999)},
            )
        text = "\n".join(logs.output)
        self.assertNotIn("pAsSw0rd", text)
        for number, expected in (
            (1, "Console 1 of server server-1 is served on port 5900."),
            (1, "Console 2 of server server-2 is served on port 5999."),
            (1, "Console 1 is no longer served."),
        ):
            self.assertEqual(number, text.count(expected), text)

    async def test_unreadable_password_is_logged(self) -> None:
        self.feed.unreadable = {7: "no key fits"}
        with self.assertLogs("console_api.agent") as logs:
            await self.run_until(lambda: self.feed.reads > 2, {})
        self.assertIn("Console 7 cannot be served: no key", logs.output[0])


class NotifyTest(ReconcilerCase):
    async def test_systemd_is_notified(self) -> None:
        with mock.patch.object(notify, "send") as send:
            await self.run_until(lambda: self.feed.reads > 2, {}, {})
        logged = [call.args[0] for call in send.call_args_list]
        self.assertEqual("STOPPING=1", logged[-1])
        self.assertIn("WATCHDOG=1", logged)
        self.assertEqual(1, logged.count("READY=1"))
