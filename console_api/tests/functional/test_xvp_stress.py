# SPDX-License-Identifier: Apache-2.0
"""The driver while viewers connect all the time, which xvp may not survive."""

import asyncio
import contextlib
import os
import random
import signal
import statistics
import sys
import time
from unittest import mock

from console_api.tests.functional import xvp
from console_api.tests.functional.xvp import console, viewer
from console_api.tests.ports import free_ports

#: Environment variable: consoles, changes, and seconds between viewers.
STRESS = "CONSOLE_API_TEST_XVP_STRESS"


class Outages:
    """Measures how long it takes until all ports are open after a death."""

    def __init__(self, driver, ports):
        self.driver = driver
        self.ports = set(ports)
        self.durations = []

    @property
    def ended(self):
        return len(self.durations)

    async def watch(self):
        """Watch the ports until cancelled."""
        loop = asyncio.get_running_loop()
        process, closed_at = None, None
        while True:
            opened = await asyncio.to_thread(xvp.ports.listeners, self.ports)
            now = loop.time()
            daemon = self.driver._daemon
            if not opened:
                closed_at = closed_at or now
            elif daemon.text and daemon.ports <= set(opened):
                if closed_at and daemon._process is not process:
                    self.durations.append(now - closed_at)
                closed_at, process = None, daemon._process
            await asyncio.sleep(0.005)

    def summary(self):
        """Return the figures for people."""
        return (
            f"{statistics.median(self.durations):.2f} s (median), "
            f"{max(self.durations):.2f} s (worst of {self.ended})"
        )


class StressTests(xvp.XVPCase):
    @mock.patch.dict(os.environ, XVP_STAND_IN_RACE="0.005")
    async def test_consoles_survive_changes_under_load(self):
        sizes = os.environ.get(STRESS, "30 15 0.05").split()
        count, changes, pause = int(sizes[0]), int(sizes[1]), float(sizes[2])
        ports = free_ports(count + count // 5)
        driver = await self.driver(start_timeout=30)
        consoles = {
            n: console(n, port) for n, port in enumerate(ports[:count])
        }
        started = time.monotonic()
        outages = Outages(driver, ports)
        with self.assertLogs("console_api", "WARNING") as logs:
            self.assertEqual({}, await driver.apply(consoles))
            viewers = asyncio.create_task(self.connect_viewers(ports, pause))
            watching = asyncio.create_task(outages.watch())
            for number in range(changes):
                self.change(consoles, ports, count + number)
                self.assertEqual({}, await driver.apply(consoles))
            viewers.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await viewers
            # At least one death.
            os.kill(self.masters()[0], signal.SIGKILL)
            await self.eventually(lambda: outages.ended > 0)
            await self.eventually(
                lambda: self.serves(*list(consoles.values())[:1])
            )
            watching.cancel()
        self.assert_listening([one.port for one in consoles.values()], ports)
        self.assertTrue(await self.serves(*consoles.values()))
        self.assertGreater(self.seen, 0)
        if STRESS in os.environ:
            deaths = sum(
                "exited during a reload" in line for line in logs.output
            )
            print(
                f"{count} consoles, {changes} changes, {self.seen} viewers, "
                f"{time.monotonic() - started:.1f} s. Deaths of xvp during "
                f"reloads: {deaths}. Ports were closed for "
                f"{outages.summary()}. No console was left out.",
                file=sys.stderr,
            )
            self.assertLess(statistics.median(outages.durations), 2)
            self.assertLess(max(outages.durations), 5)

    def change(self, consoles, ports, number):
        """Delete or create a console, or change the password of one."""
        free = set(ports) - {one.port for one in consoles.values()}
        kind = random.choice(["delete", "create", "password"])
        if kind == "create" and free:
            consoles[number] = console(number, random.choice(list(free)))
            return
        one = consoles.pop(random.choice(list(consoles)))
        if kind == "password":
            consoles[one.id] = console(
                one.id, one.port, password=f"{number:08}"
            )

    async def connect_viewers(self, ports, pause):
        """Connect to random ports until cancelled."""
        self.seen = 0
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self.connect_viewer(random.choice(ports)))
                await asyncio.sleep(pause)

    async def connect_viewer(self, port):
        with contextlib.suppress(OSError, xvp.Denied):
            async with viewer(port, xvp.PASSWORD):
                self.seen += 1
