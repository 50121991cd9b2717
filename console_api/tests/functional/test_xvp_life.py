# SPDX-License-Identifier: Apache-2.0
"""Start and end of the driver, with the stand-in for xvp."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from console_api import errors
from console_api.tests.functional import xvp
from console_api.tests.functional.xvp import by_id, console, viewer
from console_api.tests.ports import free_port, free_ports

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
        port = free_port()
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
        problems = await driver.apply(by_id(console(1, free_port())))
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
        old, new = free_ports(2)
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
        ports = free_ports(2)
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
        port = free_port()
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


class HandoverTests(xvp.XVPCase):
    async def test_session_outlives_agent(self):
        one, two = (console(n, free_port()) for n in (1, 2))
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
