# SPDX-License-Identifier: Apache-2.0
"""The driver with the stand-in for xvp, real ports and viewers."""

import asyncio
import contextlib
import dataclasses
import logging
import os
import resource
import signal
import socket
import stat
from unittest import mock

from console_api.agent.drivers.xvp import daemon, log, ports
from console_api.agent.drivers.xvp.driver import XVPDriver
from console_api.tests.functional import xvp
from console_api.tests.functional.xvp import by_id, console, is_master, viewer
from console_api.tests.functional.xvp_stand_in import configuration
from console_api.tests.ports import free_port, free_ports
from console_api.tests.unit.agent.drivers.contract import DriverContract


class XVPContractTests(DriverContract, xvp.XVPCase):
    def make_driver(self):
        return XVPDriver.from_conf(self.conf(), None)


class ServeTests(xvp.XVPCase):
    async def test_console_is_served_on_its_port(self):
        driver = await self.driver()
        one, two, three = free_ports(3)
        consoles = [console(1, one), console(2, two, password="0")]
        self.assertEqual({}, await driver.apply(by_id(*consoles)))
        self.assertTrue(await self.serves(*consoles))
        changed = [console(2, two), console(3, three)]
        self.assertEqual({}, await driver.apply(by_id(*changed)))
        self.assertTrue(await self.serves(*changed))
        self.assert_listening({two, three}, {one, two, three})
        # Processes that it forks close that many files.
        [master] = self.masters()
        limit, _ = resource.prlimit(master, resource.RLIMIT_NOFILE)
        self.assertLess(limit, 100)

    async def test_each_rfb_version_is_served(self):
        driver = await self.driver()
        port = free_port()
        await driver.apply(by_id(console(1, port)))
        for minor in (3, 7, 8):
            with self.subTest(minor):
                async with viewer(port, xvp.PASSWORD, minor=minor) as name:
                    self.assertEqual("instance-00000001", name)
                with self.assertRaises(xvp.Denied):
                    async with viewer(port, "wrong", minor=minor):
                        pass

    async def test_consoles_share_multiplex_port(self):
        port = free_port()
        driver = await self.driver(
            multiplex_port=port,
            pools={
                "west": {"compute_hosts": "west-*"},
                "east": {"compute_hosts": "east-*"},
            },
        )
        consoles = by_id(
            console(1, compute_host="west-1", instance_name="mail"),
            console(2, compute_host="east-1", instance_name="mail"),
            console(3, compute_host="east-2", instance_name="my web"),
            console(4, compute_host="north-1"),
        )
        problems = await driver.apply(consoles)
        self.assertEqual([4], list(problems))
        for target, name in (
            ("west:mail", "mail"),
            ("east:mail", "mail"),
            ("my web", "my web"),
        ):
            async with viewer(port, xvp.PASSWORD, target) as shown:
                self.assertEqual(name, shown)
        for target in ("west:my web", "instance-00000004", None):
            with self.subTest(target), self.assertRaises(xvp.Denied):
                async with viewer(port, xvp.PASSWORD, target):
                    pass

    async def test_session_survives_reloads(self):
        driver = await self.driver()
        one, two = free_ports(2)
        await driver.apply(by_id(console(1, one)))
        reader, writer = await asyncio.open_connection("127.0.0.1", one)
        self.addAsyncCleanup(writer.wait_closed)
        self.addCleanup(writer.close)
        self.assertEqual(b"RFB 003.008\n", await reader.readexactly(12))
        await driver.apply(by_id(console(2, two)))
        self.assert_listening({two}, {one, two})
        writer.write(b"RFB 003.003\n")
        self.assertEqual(b"\0\0\0\2", await reader.readexactly(4))

    async def test_sessions_of_deleted_and_changed_consoles_end(self):
        driver = await self.driver()
        consoles = [
            console(number, port, instance_name=name)
            for number, (port, name) in enumerate(
                zip(free_ports(3), ("a", "a b", "b"), strict=True)
            )
        ]
        await driver.apply(by_id(*consoles))
        async with contextlib.AsyncExitStack() as stack:
            for one in consoles:
                await stack.enter_async_context(viewer(one.port, xvp.PASSWORD))
            self.assertEqual(4, len(self.processes()))
            changed = dataclasses.replace(consoles[2], password="another1")
            await driver.apply(by_id(consoles[1], changed))
            self.assertEqual(
                ["xvp: proxy: 127.0.0.1 to a b"],
                [
                    process.title
                    for process in self.xvp_processes().find()
                    if not is_master(process.pid)
                ],
            )

    async def test_session_that_begins_after_delete_ends(self):
        self.enterContext(mock.patch.object(daemon, "_CHECK_INTERVAL", 0.05))
        self.enterContext(mock.patch.object(daemon, "_FORK_TIMEOUT", 3600))
        driver = await self.driver()
        one, two = (console(n, free_port()) for n in (1, 2))
        await driver.apply(by_id(one, two))
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        await reader.readexactly(12)
        # The viewer is at the prompt, which xvp does not see as a session, and
        # which a reload does not wait for.
        await driver.apply(by_id(two))
        await xvp.log_in(reader, writer, one.password)
        self.assertEqual(b"", await reader.read())
        writer.close()
        await writer.wait_closed()

    async def test_large_log_is_rotated(self):
        self.enterContext(mock.patch.object(daemon, "_CHECK_INTERVAL", 0.02))
        driver = await self.driver()
        one = console(1, free_port())
        await driver.apply(by_id(one))
        path, rotated = self.state / "xvp.log", self.state / "xvp.log.1"
        async with viewer(one.port, xvp.PASSWORD):
            before = self.processes()
            with mock.patch.object(log, "MAX_SIZE", 1):
                await self.eventually(rotated.exists)
            await self.eventually(path.exists)
            # All are still found, and xvp continues to write.
            self.assertCountEqual(before, self.processes())
            await driver.apply(by_id(dataclasses.replace(one, id=2)))
            self.assertIn("Listening", rotated.read_text())

    async def test_unwritable_console_is_left_out(self):
        driver = await self.driver()
        free = free_ports(7)
        good = console(1, free[0])
        consoles = by_id(
            good,
            console(2, free[1], instance_name="a#b"),
            console(3, free[2], instance_name='a"b'),
            console(4, free[3], instance_name="a\nVM 2000 b 0"),
            console(5, free[4], instance_name="a" * 81),
            console(6, free[5], instance_name=good.instance_name),
            console(7, free[0]),
            console(8, 80),
            console(9, None),
            console(10, free[6], password="123456789"),
        )
        problems = await driver.apply(consoles)
        self.assertEqual(set(range(2, 11)), set(problems))
        for problem in problems.values():
            self.assertRegex(problem, r"^xvp cannot serve it: .*\.$")
            self.assertNotIn("123456789", problem)
        self.assertTrue(await self.serves(good))
        self.assert_listening({free[0]}, free)

    async def test_xvp_stops_without_consoles(self):
        driver = await self.driver()
        port = free_port()
        for _ in range(2):
            self.assertEqual({}, await driver.apply({}))
            self.assertEqual([], self.processes())
            await driver.apply(by_id(console(1, port)))
            self.assertEqual(1, len(self.masters()))
        await driver.apply({})
        self.assertEqual([], self.processes())
        self.assertFalse((self.state / "xvp.conf").exists())

    async def test_configuration_is_readable_by_owner_only(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        driver = await self.driver()
        port = free_port()
        await driver.apply(by_id(console(1, port)))
        for name, mode in (("", 0o700), ("xvp.conf", 0o600)):
            found = (self.state / name).stat().st_mode
            self.assertEqual(mode, stat.S_IMODE(found))

    async def test_concurrent_calls_cause_one_reload(self):
        driver = await self.driver(reload_interval=0.2)
        free = free_ports(11)
        await driver.apply(by_id(console(0, free[0])))
        consoles = [console(n, port) for n, port in enumerate(free)]
        await asyncio.gather(
            *(driver.apply(by_id(*consoles[:n])) for n in range(1, 12))
        )
        self.assert_listening(free, free)
        log = (self.state / "xvp.log").read_text()
        self.assertLessEqual(log.count("Listening on 11 ports"), 3, log)


class DeathTests(xvp.XVPCase):
    async def test_killed_xvp_is_restarted(self):
        driver = await self.driver()
        one = console(1, free_port())
        await driver.apply(by_id(one))
        for _ in range(2):
            [process] = self.masters()
            os.kill(process, signal.SIGKILL)
            await self.eventually(self.has_another_master(process))
            await self.eventually(lambda: self.serves(one))
        self.assertEqual({}, await driver.apply(by_id(one)))

    async def test_xvp_killed_at_the_end_of_its_start_is_restarted(self):
        driver = await self.driver()
        sessions = driver._daemon._sessions
        change = sessions.change

        async def die(text):
            sessions.change = change
            [process] = self.masters()
            os.kill(process, signal.SIGKILL)
            await driver._down.wait()
            await change(text)

        sessions.change = die
        one = console(1, free_port())
        await driver.apply(by_id(one))
        await self.eventually(lambda: self.serves(one))

    def has_another_master(self, process):
        async def check():
            found = await asyncio.to_thread(self.masters)
            return bool(found) and found != [process]

        return check

    async def test_sessions_end_with_xvp(self):
        driver = await self.driver()
        one = console(1, free_port())
        self.assertEqual({}, await driver.apply(by_id(one)))
        [master] = self.masters()
        async with viewer(one.port, xvp.PASSWORD):
            before = self.processes()
            self.assertEqual(2, len(before))
            # A session that is slow to notice the death of its master.
            [session] = set(before) - {master}
            os.kill(session, signal.SIGSTOP)
            os.kill(master, signal.SIGKILL)
            await self.eventually(self.has_another_master(master))
        # The port is not mistaken for that of another program.
        self.assertEqual({}, await driver.apply(by_id(one)))
        self.assertTrue(await self.serves(one))
        self.assertFalse(set(before) & set(self.processes()))

    @mock.patch.dict(os.environ, XVP_STAND_IN_RACE="5")
    async def test_death_during_reload_is_repaired(self):
        driver = await self.driver()
        first, second = (console(n, free_port()) for n in (1, 2))
        await driver.apply(by_id(first))
        [process] = self.masters()
        kill = os.kill

        def connect_first(pid, number):
            if number == signal.SIGUSR1:
                self.enterContext(
                    socket.create_connection(("127.0.0.1", first.port))
                )
            kill(pid, number)

        with (
            mock.patch.object(os, "kill", connect_first),
            self.assertLogs("console_api", logging.WARNING) as logs,
        ):
            self.assertEqual({}, await driver.apply(by_id(first, second)))
        self.assertIn("exited during a reload", "".join(logs.output))
        self.assertNotEqual([process], self.masters())
        self.assertTrue(await self.serves(first, second))

    async def test_port_in_use_is_reported(self):
        driver = await self.driver()
        first, second = (console(n, free_port()) for n in (1, 2))
        with socket.create_server(("127.0.0.1", second.port)):
            # The port is checked before xvp starts, and before a reload.
            for consoles in ((first, second), (second, first)):
                problems = await driver.apply(by_id(*consoles))
                self.assertEqual([2], list(problems))
                self.assertIn(f"port {second.port}", problems[2])
                self.assertTrue(await self.serves(first))
            [process] = self.masters()
        self.assertEqual({}, await driver.apply(by_id(first, second)))
        self.assertTrue(await self.serves(first, second))
        self.assertEqual([process], self.masters())

    async def test_port_taken_during_reload_is_reported(self):
        driver = await self.driver()
        first, second = (console(n, free_port()) for n in (1, 2))
        await driver.apply(by_id(first))
        with (
            socket.create_server(("127.0.0.1", second.port)),
            # The first two checks find the port free.
            mock.patch.object(
                ports,
                "taken",
                side_effect=[frozenset(), frozenset(), {second.port}],
            ),
        ):
            problems = await driver.apply(by_id(first, second))
            self.assertEqual([2], list(problems))
            self.assertTrue(await self.serves(first))

    async def test_multiplex_port_in_use_is_reported(self):
        multiplex, dedicated = free_ports(2)
        driver = await self.driver(multiplex_port=multiplex)
        consoles = by_id(console(1), console(2, dedicated))
        with socket.create_server(("", multiplex)):
            problems = await driver.apply(consoles)
            self.assertEqual([1], list(problems))
            self.assertTrue(await self.serves(consoles[2]))
        self.assertEqual({}, await driver.apply(consoles))

    async def test_console_that_xvp_refuses_is_left_out(self):
        self.enterContext(
            mock.patch.dict(
                os.environ, {configuration.REFUSED_NAME: "refused"}
            )
        )
        driver = await self.driver()
        free = free_ports(3)
        first, third = console(1, free[0]), console(3, free[2])
        refused = console(2, free[1], instance_name="refused")
        await driver.apply(by_id(first))
        problems = await driver.apply(by_id(first, refused))
        self.assertEqual([2], list(problems))
        self.assertTrue(await self.serves(first))
        [process] = self.masters()
        # It is not retried, because each try would end all sessions.
        problems = await driver.apply(by_id(first, refused, third))
        self.assertEqual([2], list(problems))
        self.assertEqual([process], self.masters())
        self.assertTrue(await self.serves(first, third))

    async def test_program_that_cannot_start_is_reported(self):
        for text in ("#!/no/such/interpreter\n", "#!/bin/sh\nexit 1\n"):
            with self.subTest(text):
                await self.check_restart(text)

    async def check_restart(self, text):
        right = self.binary.read_text()
        self.binary.write_text(text)
        driver = await self.driver()
        one = console(1, free_port())
        problems = await driver.apply(by_id(one))
        self.assertIn("xvp is not running", problems[1])
        self.binary.write_text(right)
        await self.eventually(lambda: self.serves(one))
        self.assertEqual({}, await driver.apply(by_id(one)))
        await driver.close()
