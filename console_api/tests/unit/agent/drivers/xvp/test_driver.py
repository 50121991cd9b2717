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
    """Serves whatever a test does not want it to refuse."""

    def __init__(self) -> None:
        self.text = ""
        self.served: list[str] = []
        self.refuses = ""
        self.error: OSError | None = None
        self.leftovers_ended = 0

    @property
    def alive(self) -> bool:
        return bool(self.text)

    #: As if no other program had a port.
    ports = frozenset(range(65536))

    async def serve(self, text: str, _ports: frozenset[int]) -> bool:
        self.served.append(text)
        if self.error:
            raise self.error
        self.text = "" if self.refuses and self.refuses in text else text
        return bool(self.text) or not text

    async def settle(self) -> None:
        pass

    async def stop(self) -> None:
        self.text = ""

    async def end_leftovers(self) -> None:
        self.leftovers_ended += 1


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
    async def test_right_ones(self) -> None:
        for port in (None, 1024, 65535):
            driver = self.driver(port)
            self.assertIsInstance(driver._daemon, Daemon)
            await driver.close()
        self.assertEqual("vnc+xvp", driver.console_type)

    async def test_wrong_ones(self) -> None:
        (self.folder / "file").touch()
        for port, values, text in (
            (1023, {}, "multiplex_port"),
            (None, {"ports": "1000-1100"}, "up to 1000 ports, from 1024"),
            (None, {"ports": "12000-13000"}, "up to 1000 ports, from 1024"),
            (None, {"binary": "no-such-xvp"}, "there is no program"),
            (None, {"pools": []}, "at least one pool"),
            (
                *(None, {"state_dir": str(self.folder / "file" / "a")}),
                "cannot be made",
            ),
        ):
            with (
                self.subTest(str(values)),
                self.assertRaisesRegex(errors.ConfigurationError, text),
            ):
                self.driver(port, **values)

    async def test_a_folder_is_used_once(self) -> None:
        self.driver()
        with self.assertRaisesRegex(errors.ConfigurationError, "another"):
            self.driver()

    async def test_a_folder_that_cannot_be_written(self) -> None:
        with (
            mock.patch.object(Path, "open", side_effect=PermissionError),
            self.assertRaisesRegex(errors.ConfigurationError, "be used"),
        ):
            self.driver()


class ApplyTest(DriverCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = StubDaemon()

    def make(self, **values: Any) -> XVPDriver:
        driver = self.driver(**values)
        driver._daemon = self.daemon  # type: ignore[assignment]
        return driver

    def consoles(self, *numbers: int) -> dict[int, Console]:
        return by_id(*(console(n, 2000 + n) for n in numbers))

    async def test_nothing_is_done_twice(self) -> None:
        driver = self.make()
        for consoles in (self.consoles(1), self.consoles(1), {}, {}):
            self.assertEqual({}, await driver.apply(consoles))
        self.assertEqual(2, len(self.daemon.served))
        self.assertEqual("", self.daemon.served[-1])
        self.assertEqual(1, self.daemon.leftovers_ended)

    async def test_changes_are_some_time_apart(self) -> None:
        driver = self.make(reload_interval=7)
        with mock.patch.object(asyncio, "sleep") as sleep:
            await driver.apply(self.consoles(1))
            sleep.assert_not_awaited()
            await driver.apply(self.consoles(1, 2))
        sleep.assert_awaited_once()
        [[[seconds], _]] = sleep.await_args_list
        self.assertAlmostEqual(7, seconds, delta=2)

    async def test_what_xvp_dies_of_is_left_out_for_a_while(self) -> None:
        driver = self.make()
        await driver.apply(self.consoles(1, 2))
        self.daemon.refuses = "vm-3"
        # The first is gone meanwhile, and does not come back.
        problems = await driver.apply(self.consoles(2, 3))
        self.assertEqual([3], list(problems))
        self.assertIn("xvp ended when it was to serve it", problems[3])
        self.assertIn("vm-2", self.daemon.text)
        self.assertNotIn("vm-1", self.daemon.text)
        count = len(self.daemon.served)
        self.assertEqual(problems, await driver.apply(self.consoles(2, 3)))
        self.assertEqual(count, len(self.daemon.served))
        self.daemon.refuses = ""
        driver._suspects_until = 0
        self.assertEqual({}, await driver.apply(self.consoles(2, 3)))

    async def test_a_suspect_that_has_changed_is_tried_again(self) -> None:
        driver = self.make()
        await driver.apply(self.consoles(1))
        self.daemon.refuses = "vm-2"
        await driver.apply(self.consoles(1, 2))
        other = console(2, 2002, instance_name="renamed")
        self.assertEqual(
            {}, await driver.apply({**self.consoles(1), 2: other})
        )

    async def test_xvp_does_not_run_at_all(self) -> None:
        driver = self.make()
        self.daemon.refuses = "OTP"
        problems = await driver.apply(self.consoles(1, 2))
        self.assertEqual({1, 2}, set(problems))
        self.assertIn("xvp does not run", problems[1])
        self.daemon.refuses = ""
        await wait_until_async(lambda: self.daemon.alive)
        self.assertEqual({}, await driver.apply(self.consoles(1, 2)))

    async def test_the_file_cannot_be_written(self) -> None:
        driver = self.make()
        await driver.apply(self.consoles(1))
        self.daemon.error = OSError("No space left on device")
        with self.assertLogs("console_api", "ERROR") as logs:
            problems = await driver.apply(self.consoles(1, 2))
        self.assertIn("No space left", logs.output[0])
        self.assertEqual({1, 2}, set(problems))
        self.daemon.error = None
        self.assertEqual({}, await driver.apply(self.consoles(1, 2)))

    async def test_mending_goes_on_after_an_unexpected_error(self) -> None:
        driver = self.make()
        await driver.apply(self.consoles(1))
        self.daemon.text = ""
        self.daemon.error = MemoryError()  # type: ignore[assignment]
        with self.assertLogs("console_api", "ERROR") as logs:
            driver._broken.set()
            await wait_until_async(
                lambda: "could not be started again" in str(logs.output)
            )
            self.daemon.error = None
            await wait_until_async(lambda: self.daemon.alive)
        self.assertFalse(driver._broken.is_set())
