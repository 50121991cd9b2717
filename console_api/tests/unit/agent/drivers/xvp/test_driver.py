# SPDX-License-Identifier: Apache-2.0
import asyncio
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from oslo_config import cfg

from console_api import errors
from console_api.agent.drivers.base import Console
from console_api.agent.drivers.xvp.daemon import Daemon
from console_api.agent.drivers.xvp.driver import XVPDriver
from console_api.conf import agent
from console_api.conf import xvp as options
from console_api.tests.unit import base
from console_api.tests.unit.agent.drivers.xvp.base import by_id, console
from console_api.tests.waiting import wait_until_async


class StubDaemon:
    """A daemon that serves every file that does not contain ``refuses``."""

    def __init__(self) -> None:
        self.text = ""
        self.served: list[str] = []
        self.refuses = ""
        self.names_line = False
        self.error: OSError | None = None
        self.adoptions = 0
        self.is_detached = False
        self.refused_line: int | None = None

    @property
    def is_running(self) -> bool:
        return bool(self.text)

    #: All ports, so that none seems to be in use by another program.
    ports = frozenset(range(65536))

    async def serve(self, text: str, _ports: frozenset[int]) -> bool:
        self.served.append(text)
        if self.error:
            raise self.error
        self.text = "" if self.refuses and self.refuses in text else text
        self.refused_line = None
        if self.names_line and not self.text:
            before = text.partition(self.refuses)[0]
            self.refused_line = before.count("\n") + 1
        return bool(self.text) or not text

    async def settle(self) -> None:
        pass

    async def stop(self) -> None:
        self.text = ""

    def detach(self) -> None:
        self.is_detached = True

    async def adopt(self) -> None:
        self.adoptions += 1


class DriverCase(base.FolderCase, unittest.IsolatedAsyncioTestCase):
    def conf(
        self,
        multiplex_port: int | None = None,
        ports: str = "12000-12999",
        **values: Any,
    ) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        conf.register_opts(options.OPTS, group=options.GROUP)
        conf.register_opts(agent.OPTS, group=agent.GROUP)
        conf.register_opts(options.POOL_OPTS, group="xvp_pool:a")
        conf([], default_config_files=[], default_config_dirs=[])
        conf.set_override("multiplex_port", multiplex_port, group="agent")
        conf.set_override("ports", ports, group="agent")
        conf.set_override("manager_password", "secret", group="xvp_pool:a")
        conf.set_override("hosts", ["xs1"], group="xvp_pool:a")
        for name, value in {
            "pools": ["a"],
            "binary": "/bin/true",
            "state_dir": str(self.folder / "a" / "state"),
            "reload_interval": 0,
            **values,
        }.items():
            conf.set_override(name, value, group="xvp")
        return conf

    def driver(self, *args: Any, **values: Any) -> XVPDriver:
        driver = XVPDriver.from_conf(self.conf(*args, **values), mock.Mock())
        self.addAsyncCleanup(driver.close)
        return driver


class FromConfTest(DriverCase):
    async def test_valid_options(self) -> None:
        for port in (None, 1024, 65535):
            driver = self.driver(port)
            self.assertIsInstance(driver._daemon, Daemon)
            await driver.start()
            await driver.close()
        self.assertEqual("vnc+xvp", driver.console_type)

    async def test_invalid_option_is_refused(self) -> None:
        (self.folder / "file").touch()
        for port, values, text in (
            (1023, {}, "multiplex_port"),
            (None, {"ports": "1000-1100"}, "at most 1000 ports, from 1024"),
            (None, {"ports": "12000-13000"}, "at most 1000 ports, from 1024"),
            (None, {"binary": "no-such-xvp"}, "cannot find the program"),
            (None, {"pools": []}, "at least one pool"),
            (
                *(None, {"state_dir": str(self.folder / "file" / "a")}),
                "cannot create the directory",
            ),
        ):
            with (
                self.subTest(str(values)),
                self.assertRaisesRegex(errors.ConfigurationError, text),
            ):
                self.driver(port, **values)

    async def test_state_dir_of_another_agent_is_refused(self) -> None:
        await self.driver().start()
        with self.assertRaisesRegex(errors.ConfigurationError, "another"):
            await self.driver().start()

    async def test_unwritable_state_dir_is_refused(self) -> None:
        with (
            mock.patch.object(Path, "open", side_effect=PermissionError),
            self.assertRaisesRegex(
                errors.ConfigurationError, "cannot use the directory"
            ),
        ):
            await self.driver().start()


class ApplyTest(DriverCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = StubDaemon()

    async def make(self, **values: Any) -> XVPDriver:
        driver = self.driver(**values)
        driver._daemon = self.daemon  # type: ignore[assignment]
        await driver.start()
        return driver

    def consoles(self, *numbers: int) -> dict[int, Console]:
        return by_id(*(console(n, 2000 + n) for n in numbers))

    async def test_apply_of_same_consoles_changes_nothing(self) -> None:
        driver = await self.make()
        for consoles in (self.consoles(1), self.consoles(1), {}, {}):
            self.assertEqual({}, await driver.apply(consoles))
        self.assertEqual(2, len(self.daemon.served))
        self.assertEqual("", self.daemon.served[-1])
        self.assertEqual(1, self.daemon.adoptions)

    async def test_reloads_are_spaced_by_reload_interval(self) -> None:
        driver = await self.make(reload_interval=7)
        with mock.patch.object(asyncio, "sleep") as sleep:
            await driver.apply(self.consoles(1))
            sleep.assert_not_awaited()
            await driver.apply(self.consoles(1, 2))
        sleep.assert_awaited_once()
        [[[seconds], _]] = sleep.await_args_list
        self.assertAlmostEqual(7, seconds, delta=2)

    async def test_console_that_xvp_refuses_is_quarantined(self) -> None:
        driver = await self.make()
        await driver.apply(self.consoles(1, 2))
        self.daemon.refuses = "vm-3"
        # The first console was deleted, and must not return.
        problems = await driver.apply(self.consoles(2, 3))
        self.assertEqual([3], list(problems))
        self.assertIn("xvp exited when it was to serve it", problems[3])
        self.assertIn("vm-2", self.daemon.text)
        self.assertNotIn("vm-1", self.daemon.text)
        count = len(self.daemon.served)
        self.assertEqual(problems, await driver.apply(self.consoles(2, 3)))
        self.assertEqual(count, len(self.daemon.served))
        self.daemon.refuses = ""
        driver._quarantine_ends_at = 0
        self.assertEqual({}, await driver.apply(self.consoles(2, 3)))

    async def test_only_console_of_refused_line_is_quarantined(self) -> None:
        driver = await self.make()
        await driver.apply(self.consoles(1))
        self.daemon.refuses = "vm-3"
        self.daemon.names_line = True
        # Both are new.
        problems = await driver.apply(self.consoles(1, 2, 3))
        self.assertEqual([3], list(problems))
        self.assertIn("vm-2", self.daemon.text)

    async def test_passing_failure_quarantines_nothing(self) -> None:
        driver = await self.make()
        await driver.apply(self.consoles(1))
        serve = self.daemon.serve

        async def fail_once(_text: str, _ports: frozenset[int]) -> bool:
            self.daemon.serve = serve  # type: ignore[method-assign]
            self.daemon.text = ""
            return False

        self.daemon.serve = fail_once  # type: ignore[assignment, method-assign]
        self.assertEqual({}, await driver.apply(self.consoles(1, 2)))
        self.assertIn("vm-2", self.daemon.text)

    async def test_successor_gets_xvp(self) -> None:
        driver = await self.make()
        await driver.apply(self.consoles(1))
        self.assertEqual([], await driver.pause())
        self.assertTrue(self.daemon.is_detached)
        successor = await self.make()
        await driver.release()
        self.assertEqual({}, await driver.apply({}))
        await driver.close()
        self.assertIn("vm-1", self.daemon.text)
        await successor.close()
        self.assertEqual("", self.daemon.text)

    async def test_driver_takes_xvp_over_again(self) -> None:
        driver = await self.make()
        await driver.pause()
        await driver.resume()
        self.assertEqual(2, self.daemon.adoptions)
        self.assertEqual({}, await driver.apply(self.consoles(1)))
        self.assertIn("vm-1", self.daemon.text)

    async def test_changed_console_leaves_quarantine(self) -> None:
        driver = await self.make()
        await driver.apply(self.consoles(1))
        self.daemon.refuses = "vm-2"
        await driver.apply(self.consoles(1, 2))
        other = console(2, 2002, instance_name="renamed")
        self.assertEqual(
            {}, await driver.apply({**self.consoles(1), 2: other})
        )

    async def test_xvp_that_never_starts_is_reported_and_retried(self) -> None:
        driver = await self.make()
        self.daemon.refuses = "OTP"
        problems = await driver.apply(self.consoles(1, 2))
        self.assertEqual({1, 2}, set(problems))
        self.assertIn("xvp is not running", problems[1])
        self.assertEqual(problems[1], driver.trouble)
        self.daemon.refuses = ""
        await wait_until_async(lambda: self.daemon.is_running)
        self.assertIsNone(driver.trouble)
        self.assertEqual({}, await driver.apply(self.consoles(1, 2)))

    async def test_unwritable_file_is_logged_and_reported(self) -> None:
        driver = await self.make()
        await driver.apply(self.consoles(1))
        self.daemon.error = OSError("No space left on device")
        with self.assertLogs("console_api", "ERROR") as logs:
            problems = await driver.apply(self.consoles(1, 2))
        self.assertIn("No space left", logs.output[0])
        self.assertEqual({1, 2}, set(problems))
        self.daemon.error = None
        self.assertEqual({}, await driver.apply(self.consoles(1, 2)))

    async def test_restarts_continue_after_unexpected_error(self) -> None:
        driver = await self.make()
        await driver.apply(self.consoles(1))
        self.daemon.text = ""
        self.daemon.error = MemoryError()  # type: ignore[assignment]
        with self.assertLogs("console_api", "ERROR") as logs:
            driver._down.set()
            await wait_until_async(
                lambda: "Cannot restart xvp" in str(logs.output)
            )
            self.daemon.error = None
            await wait_until_async(lambda: self.daemon.is_running)
        self.assertFalse(driver._down.is_set())
