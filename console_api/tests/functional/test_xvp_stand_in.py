# SPDX-License-Identifier: Apache-2.0
"""The stand-in for xvp behaves as xvp 1.16 was measured to behave."""

import asyncio
import os
import random
import signal
import socket
import stat
from unittest import mock

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.xvp.pools import Pool
from console_api.agent.drivers.xvp.processes import Processes
from console_api.agent.drivers.xvp.writer import Writer
from console_api.tests.functional import xvp
from console_api.tests.functional.xvp import viewer
from console_api.tests.functional.xvp_stand_in.configuration import (
    Configuration,
    Fatal,
)
from console_api.tests.ports import free_port, free_ports

# xvp 1.16 accepts this file.
REAL = """\
OTP DENY
MULTIPLEX {0}
POOL p-mux
  DOMAIN ""
  MANAGER root 2a0e3d7a60a60b3294f43d47a87410fa
  HOST 192.0.2.1 xs1
  VM - vm-a ed1a6fce37775acd
  VM - vm-b 480b7ee675a08575
POOL p-ded
  DOMAIN example.org
  MANAGER root 0fd5afc28bbe1ede32af7fd70a26fe44
  HOST xs2
  VM {1} vm-c ed1a6fce37775acd
  VM {2} "vm d" 480b7ee675a08575
"""

VM_HEX, POOL_HEX = "0123456789abcdef", "0123456789abcdef" * 2

UUID = "00000000-0000-4000-8000-000000000001"

# The lines of a file with one pool.
LINES = {
    "otp": "",
    "multiplex": "MULTIPLEX 2000",
    "pool": "POOL p",
    "domain": 'DOMAIN ""',
    "manager": f"MANAGER root {POOL_HEX}",
    "host": "HOST xs1",
    "vm": f"VM 2001 a {VM_HEX}",
    "more": "",
}

# Lines that xvp refuses in place of those above.
REFUSED_LINES = (
    {"otp": "OTP DENY 0"},
    {"otp": "OTP DENY 3601"},
    {"otp": "OTP NEVER"},
    {"otp": "otp DENY"},
    {"otp": "OTP DENY", "multiplex": "OTP DENY"},
    {"multiplex": "MULTIPLEX 1023"},
    {"multiplex": "MULTIPLEX -"},
    {"multiplex": "MULTIPLEX 2001"},
    {"pool": "POOL"},
    {"pool": 'POOL ""'},
    {"pool": "POOL a:b"},
    {"pool": f"POOL {'p' * 80}"},
    {"pool": 'POOL "a#b"'},
    {"pool": "VM"},
    {"domain": f"DOMAIN {'d' * 80}"},
    {"domain": "DOMAIN"},
    {"domain": ""},
    {"manager": f"MANAGER {'u' * 33} {POOL_HEX}"},
    {"manager": "MANAGER root"},
    {"manager": f"MANAGER root {VM_HEX}"},
    {"host": "HOST 192.0.2 xs1"},
    {"host": "HOST ::1 xs1"},
    {"host": "HOST 1 2 3"},
    {"host": f"HOST {'h' * 81}"},
    {"host": "HOST a\nHOST a"},
    {"vm": ""},
    {"vm": "GROUP g"},
    {"vm": f"VM 2001 a {VM_HEX} more"},
    {"vm": f"VM 2001 a b {VM_HEX}"},
    {"vm": f"VM 1023 a {VM_HEX}"},
    {"vm": f"VM 65536 a {VM_HEX}"},
    {"vm": f"VM :100 a {VM_HEX}"},
    {"vm": f"VM 2001 {'v' * 81} {VM_HEX}"},
    {"vm": f'VM 2001 "" {VM_HEX}'},
    {"vm": f"VM 2001 a {POOL_HEX}"},
    {"vm": f"VM 2001 {'a' * 4096} {VM_HEX}"},
    {"vm": "VM " + "a " * 10},
    {"more": f"VM 2002 a {VM_HEX}"},
    {"more": f"VM 2001 b {VM_HEX}"},
    {"vm": f"VM 5901 a {VM_HEX}\nVM :1 b {VM_HEX}"},
    {"more": "\n".join(LINES.values()).replace("MULTIPLEX 2000", "")},
    {"more": "HOST xs2"},
    {"multiplex": "", "vm": f"VM - a {VM_HEX}"},
)

# Parts of random server names.
PARTS = (
    *("a", "b", "vm-1", "POOL", "VM", "-", ":1", "a:b", "'", "\\", UUID),
    *("uuid=", "xs1", "192.0.2.1"),
    *(" ", "#", '"', "é", "\r", "\t", "\n", "\0", "x" * 79, "x" * 81, ""),
)


class ConfigurationTests(xvp.XVPCase):
    def accepts(self, text):
        """Return whether the stand-in accepts a file."""
        path = self.folder / "xvp.conf"
        path.write_text(text)
        try:
            Configuration(path)
        except Fatal:
            return False
        return True

    def accepts_lines(self, lines):
        """Return whether the stand-in accepts a file with changed lines."""
        return self.accepts("\n".join({**LINES, **lines}.values()))

    def test_file_that_xvp_accepts(self):
        self.assertTrue(self.accepts(REAL.format(28000, 28011, 28012)))
        for lines in (
            {},
            {"otp": "DATABASE a b\nOTP ALLOW IPCHECK HTTP 3600"},
            {"otp": "OTP REQUIRE 1"},
            {"otp": "OTP ALLOW IPCHECK ON"},
            {"otp": "# a comment, and\n\n \t \n"},
            {"pool": f"\t POOL \t{'p' * 79} # p"},
            {"domain": f"DOMAIN {'d' * 79}"},
            {"manager": f'MANAGER "{"a " * 16}" {POOL_HEX}'},
            {"host": "HOST xs1\nHOST 192.0.2.1 xs2"},
            {"vm": f"VM :99 {'v' * 80} {VM_HEX}"},
            {"vm": f"VM 65535 {UUID} {VM_HEX}#"},
            {"vm": f"VM - a {VM_HEX}\nGROUP g\nVM - b {VM_HEX}"},
            {"vm": f"GROUP g\nVM 1024 a {VM_HEX}"},
            {"more": "#" + "x" * 4094},
            # xvp does not notice that a UUID is used twice.
            {"vm": f"VM - {UUID} {VM_HEX}\nVM - {UUID} {VM_HEX}"},
        ):
            with self.subTest(str(lines)):
                self.assertTrue(self.accepts_lines(lines))

    def test_file_that_xvp_refuses(self):
        for text in ("", "OTP DENY\n", "# POOL p\n"):
            self.assertFalse(self.accepts(text))
        for lines in REFUSED_LINES:
            with self.subTest(str(lines)):
                self.assertFalse(self.accepts_lines(lines))

    def test_file_of_the_writer_is_accepted(self):
        # For any names, ports and passwords, valid or not.
        chance = random.Random(1)
        for _ in range(300):
            consoles = {
                number: self.random_console(chance, number)
                for number in range(1, 12)
            }
            plan = self.random_writer(chance).plan(consoles)
            self.assertEqual(set(consoles), {*plan.consoles, *plan.problems})
            if not plan.consoles:
                continue
            self.assertTrue(self.accepts(plan.text), plan.text)
            written = Configuration(self.folder / "xvp.conf").targets
            self.assertEqual(
                sorted(c.instance_name for c in plan.consoles.values()),
                sorted(target.name for target in written),
            )
            for target in written:
                self.assertNotIn("Control domain", target.screen)

    def random_writer(self, chance):
        """Return a writer for two pools."""
        lines = [*list(LINES.values())[3:5], "HOST 192.0.2.1 xs1"]
        pools = [
            Pool(
                name,
                f"{name}-*",
                frozenset({"xs1"}),
                [f"POOL {name}", *lines],
            )
            for name in ("a", "b")
        ]
        return Writer(pools, chance.choice([None, 2000, 2001]))

    def random_console(self, chance, number):
        """Return a console whose fields are often invalid."""
        name, port, password = f"vm-{number}", 2000 + number, "Xv9_k-2+"
        if chance.random() < 0.5:
            name = "".join(chance.choices(PARTS, k=2))
        if chance.random() < 0.5:
            port = chance.choice([None, 80, 1024, 2000, 65535, 65536, -1])
        if chance.random() < 0.1:
            password = chance.choice(["", "a b", "é", "x" * 9, "#"])
        return Console(
            id=number,
            server_id=UUID,
            instance_name=name,
            compute_host=chance.choice(["a-1", "b-1", "c-1"]),
            port=port,
            password=password,
        )


class ProcessTests(xvp.XVPCase):
    def setUp(self):
        super().setUp()
        self.ports = free_ports(3)
        self.config = self.folder / "xvp.conf"
        self.log = self.folder / "xvp.log"
        self.pid_file = self.folder / "xvp.pid"
        self.arguments = [
            *("-c", str(self.config), "-l", str(self.log)),
            *("-p", str(self.pid_file)),
        ]
        # A daemon is not a child of this process.
        processes = Processes(self.log, self.arguments)
        self.addAsyncCleanup(processes.terminate, 0)
        self.write()

    def write(self, text=REAL):
        self.config.write_text(text.format(*self.ports))

    async def start(self, *options):
        """Start the stand-in; it is killed when the test ends."""
        process = await asyncio.create_subprocess_exec(
            *(self.binary, *options, *self.arguments)
        )
        self.addAsyncCleanup(self.end, process)
        return process

    async def end(self, process):
        if process.returncode is None:
            process.kill()
            await process.wait()

    async def start_master(self):
        process = await self.start("-n")
        await self.eventually(self.logged("Listening on 3 ports"))
        return process

    def logged(self, text, count=1):
        async def check():
            return (
                self.log.exists() and self.log.read_text().count(text) >= count
            )

        return check

    async def test_daemon_returns_before_it_listens(self):
        process = await self.start()
        self.assertEqual(0, await process.wait())
        await self.eventually(self.logged("Listening on 3 ports"))
        mode = stat.S_IMODE(self.pid_file.stat().st_mode)
        self.assertEqual(0o600, mode)
        pid = int(self.pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        await self.eventually(self.has_no_pid_file)

    async def has_no_pid_file(self):
        return not self.pid_file.exists()

    async def test_daemon_reports_bad_file_in_log_only(self):
        self.write("POOL a\n")
        fatal = f"Fatal: {self.config}: Syntax error at line 1"
        process = await self.start()
        self.assertEqual(0, await process.wait())
        await self.eventually(self.logged(fatal))
        process = await self.start("-n")
        self.assertEqual(1, await process.wait())
        await self.eventually(self.logged(fatal, 2))

    async def test_viewers_are_authenticated(self):
        await self.start_master()
        multiplex, first, second = self.ports
        for port, password, target, name in (
            (first, "password", None, "vm-c"),
            (second, "12345678", None, "vm d"),
            (multiplex, "password", "vm-a", "vm-a"),
            (multiplex, "12345678", "p-mux:vm-b", "vm-b"),
            (first, "12345678", "vm-b", "vm-b"),
        ):
            async with viewer(port, password, target) as shown:
                self.assertEqual(name, shown)
        for port, password, target in (
            (first, "12345678", None),
            (multiplex, "password", None),
            (multiplex, "password", "vm-b"),
            (multiplex, "password", "unknown"),
        ):
            with self.assertRaisesRegex(xvp.Denied, "Access denied"):
                async with viewer(port, password, target):
                    pass

    async def test_client_that_sends_ahead_is_dropped(self):
        await self.start_master()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.ports[1]
        )
        writer.write(b"RFB 003.008\n\x02")
        self.assertEqual(b"RFB 003.008\n", await reader.read())
        writer.close()
        await writer.wait_closed()

    async def test_reload_reopens_ports(self):
        process = await self.start_master()
        self.write(REAL.replace("vm-c", "vm-e"))
        process.send_signal(signal.SIGUSR1)
        await self.eventually(self.logged("Listening on 3 ports", 2))
        async with viewer(self.ports[1], "password") as name:
            self.assertEqual("vm-e", name)
            process.send_signal(signal.SIGUSR2)
            await self.eventually(self.logged("Sessions: 1"))
        self.write(REAL.replace("HOST", "HOSTS"))
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(1, await process.wait())
        await self.eventually(self.logged("Syntax error at line 6"))

    async def test_reload_with_port_in_use_is_fatal(self):
        process = await self.start_master()
        port = free_port()
        with socket.create_server(("127.0.0.1", port)):
            self.ports[2] = port
            self.write()
            process.send_signal(signal.SIGUSR1)
            self.assertEqual(1, await process.wait())
        xvp_ports = self.ports[:2]
        self.assert_listening([], xvp_ports)

    @mock.patch.dict(os.environ, XVP_STAND_IN_RACE="5")
    async def test_reload_during_connect_is_fatal(self):
        process = await self.start_master()
        with socket.create_connection(("127.0.0.1", self.ports[0])):
            process.send_signal(signal.SIGUSR1)
            self.assertEqual(-signal.SIGKILL, await process.wait())

    async def test_signals(self):
        process = await self.start_master()
        moved = self.log.rename(self.folder / "old.log")
        process.send_signal(signal.SIGHUP)

        async def is_reopened():
            return self.log.exists()

        await self.eventually(is_reopened)
        self.assertIn("Listening", moved.read_text())
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.ports[1]
        )
        await reader.readexactly(12)
        process.send_signal(signal.SIGQUIT)
        self.assertEqual(b"", await reader.read())
        writer.close()
        await writer.wait_closed()
        process.send_signal(signal.SIGINT)
        self.assertEqual(0, await process.wait())
        self.assertFalse(self.pid_file.exists())

    async def test_second_instance_deletes_pid_file(self):
        process = await self.start_master()
        self.assertEqual(f"{process.pid}\n", self.pid_file.read_text())
        second = await self.start("-n")
        self.assertEqual(1, await second.wait())
        self.assertFalse(self.pid_file.exists())
        self.assertIsNone(process.returncode)
