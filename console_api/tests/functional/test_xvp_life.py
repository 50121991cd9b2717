# SPDX-License-Identifier: Apache-2.0
"""Start and end of the driver, and its behavior under load."""

import asyncio
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from console_api import errors
from console_api.tests.functional import xvp
from console_api.tests.functional.xvp import by_id, console, viewer

#: Environment variable: consoles, changes, and seconds between viewers.
STRESS = "CONSOLE_API_TEST_XVP_STRESS"

# An agent that is killed while it serves a port.
AGENT = """
import asyncio, sys
from pathlib import Path
from console_api.tests.functional import xvp

async def serve():
    case = xvp.XVPCase()
    case.use(Path(sys.argv[1]))
    port = int(sys.argv[2])
    driver = await case.driver()
    print(await driver.apply(xvp.by_id(xvp.console(1, port))), flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""


class LifecycleTests(xvp.XVPCase):
    async def test_close_leaves_nothing_behind(self):
        driver = await self.driver()
        [port] = self.free_ports(1)
        await driver.apply(by_id(console(1, port)))
        async with viewer(port, xvp.PASSWORD):
            await driver.close()
        self.assertEqual([], self.processes())
        self.assert_listening([], [port])
        self.assertEqual(
            [".lock", "xvp.log"],
            sorted(path.name for path in self.state.iterdir()),
        )
        await (await self.driver()).apply({})

    async def test_close_before_apply(self):
        await (await self.driver()).close()

    async def test_xvp_that_ignores_sigterm_is_killed(self):
        self.binary.write_text(
            "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.05; done\n"
        )
        driver = await self.driver(start_timeout=0.3)
        problems = await driver.apply(by_id(console(1, *self.free_ports(1))))
        self.assertIn("xvp is not running", problems[1])
        self.assertEqual([], self.processes())

    async def test_second_agent_on_one_directory_is_refused(self):
        driver = await self.driver()
        with self.assertRaisesRegex(
            errors.ConfigurationError, "another agent uses the directory"
        ):
            await self.driver()
        await driver.close()
        await self.driver()

    async def kill_agent(self, port):
        """Kill an agent that serves a port, and return its xvp."""
        agent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", AGENT, self.folder, str(port)),
            stdout=subprocess.PIPE,
        )
        self.assertEqual(b"{}\n", await agent.stdout.readline())
        agent.kill()
        await agent.communicate()
        [master] = self.masters()
        return master

    async def test_xvp_of_killed_agent_is_taken_over(self):
        old, new = self.free_ports(2)
        master = await self.kill_agent(old)
        async with viewer(old, xvp.PASSWORD):
            [session] = set(self.processes()) - {master}
            driver = await self.driver()
            two = console(2, new)
            self.assertEqual(
                {}, await driver.apply(by_id(console(1, old), two))
            )
            # Its sessions go on.
            self.assertCountEqual([master, session], self.processes())
            one = console(1, old, password="another1")
            await driver.apply(by_id(one, two))
            self.assertEqual([master], self.processes())
        self.assertTrue(await self.serves(one, two))
        # It is supervised like one that the agent has started.
        os.kill(master, signal.SIGKILL)
        await self.eventually(lambda: self.serves(one))
        await driver.close()
        self.assertEqual([], self.processes())

    async def test_two_xvps_of_killed_agents_are_terminated(self):
        ports = self.free_ports(2)
        first = await self.kill_agent(ports[0])
        config = self.state / "xvp.conf"
        config.write_text(
            config.read_text().replace(str(ports[0]), str(ports[1]))
        )
        second = await asyncio.create_subprocess_exec(
            *(self.binary, "-n", "-c", config, "-l", self.state / "xvp.log"),
            *("-p", self.state / "xvp.pid"),
        )
        await self.eventually(lambda: self.serves(console(1, ports[1])))
        one = console(1, ports[0])
        self.assertEqual({}, await (await self.driver()).apply(by_id(one)))
        self.assertTrue(await self.serves(one))
        await second.wait()
        self.assertNotIn(first, self.processes())
        self.assert_listening([ports[0]], ports)

    async def test_secrets_are_not_logged(self):
        driver = await self.driver()
        [port] = self.free_ports(1)
        with self.assertLogs("console_api", "DEBUG") as logs:
            await driver.apply(by_id(console(1, port)))
            [process] = self.processes()
            command = Path(f"/proc/{process}/cmdline")
            texts = [await asyncio.to_thread(command.read_text)]
            os.kill(process, signal.SIGKILL)
            await self.eventually(lambda: self.serves(console(1, port)))
            await driver.close()
        texts += [*logs.output, (self.state / "xvp.log").read_text()]
        for secret in (xvp.PASSWORD, "d5c24a2652171b94", "a secret"):
            self.assertNotIn(secret, "\n".join(texts))


class Outages:
    """Measures how long no port is open because xvp has died."""

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
            is_open = await asyncio.to_thread(xvp.ports.listeners, self.ports)
            now = loop.time()
            current = self.driver._daemon._process
            if not is_open:
                closed_at = closed_at or now
            elif current is not None:
                if closed_at and current is not process:
                    self.durations.append(now - closed_at)
                closed_at, process = None, current
            await asyncio.sleep(0.005)

    def summary(self):
        """Return the figures for people."""
        return (
            f"{statistics.median(self.durations):.2f} s (median), "
            f"{max(self.durations):.2f} s (worst of {self.ended})"
        )


class HandoverTests(xvp.XVPCase):
    async def test_session_outlives_agent(self):
        one, two = (console(n, *self.free_ports(1)) for n in (1, 2))
        old = await self.driver()
        await old.apply(by_id(one))
        async with viewer(one.port, xvp.PASSWORD):
            before = self.processes()
            sockets = await old.pause()
            new = await self.driver()
            self.assertEqual({}, await new.apply(by_id(one, two)))
            await old.release()
            await old.close()
            self.assertEqual([], sockets)
            self.assertCountEqual(before, self.processes())
        self.assertTrue(await self.serves(one, two))


class StressTests(xvp.XVPCase):
    @mock.patch.dict(os.environ, XVP_STAND_IN_RACE="0.005")
    async def test_consoles_survive_changes_under_load(self):
        sizes = os.environ.get(STRESS, "60 40 0.02").split()
        count, changes, pause = int(sizes[0]), int(sizes[1]), float(sizes[2])
        ports = self.free_ports(count + count // 5)
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
        listening = [one.port for one in consoles.values()]
        self.assert_listening(listening, ports)
        self.assertTrue(await self.serves(*consoles.values()))
        self.assertGreater(self.seen, 0)
        if STRESS in os.environ:
            deaths = sum(
                "exited during a reload" in line for line in logs.output
            )
            print(
                f"{count} consoles, {changes} changes, {self.seen} viewers, "
                f"{time.monotonic() - started:.1f} s; xvp died {deaths} times "
                f"during reloads; ports were closed for {outages.summary()}",
                file=sys.stderr,
            )

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
