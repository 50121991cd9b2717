# SPDX-License-Identifier: Apache-2.0
"""The stand-in is as fragile as xvp, and no more generous than our grammar."""

import asyncio
import os
import random
import signal
import socket
import stat
from unittest import mock

from console_api.agent.drivers.xvp import grammar, leftovers
from console_api.tests.functional import xvp
from console_api.tests.functional.xvp import viewer
from console_api.tests.functional.xvp_stand_in.configuration import (
    Configuration,
    Fatal,
)

# xvp 1.16 takes it.
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

# What files are put together from at random.
PARTS = [
    *("OTP", "MULTIPLEX", "POOL", "DOMAIN", "MANAGER", "HOST", "VM", "GROUP"),
    *("DENY", "ALLOW", "IPCHECK", "ON", "60", "3601", "0", "-", ":1", ":100"),
    *("1024", "5901", "65535", "65536", "2000", "a", "b", "a:b", "192.0.2.1"),
    *('""', '"a b"', '"a', 'a"', '"a"b', "#", "a#b", '"a#b"', "é", "\r", "\t"),
    *("0" * 16, "0" * 32, "A" * 16, "x" * 79, "x" * 80, "x" * 81, "x" * 4096),
    "00000000-0000-4000-8000-000000000001",
]


class GrammarTests(xvp.XVPCase):
    def takes(self, text):
        """Tell whether the stand-in takes a file."""
        path = self.folder / "xvp.conf"
        path.write_text(text)
        try:
            Configuration(path)
        except Fatal:
            return False
        return True

    def test_the_real_file(self):
        text = REAL.format(28000, 28011, 28012)
        grammar.parse(text)
        self.assertTrue(self.takes(text))

    def test_what_our_grammar_takes(self):
        # A right file with one or two things wrong, thousands of times.
        real = REAL.format(28000, 28011, 28012).splitlines()
        chance = random.Random(1)
        right = 0
        for _ in range(5000):
            text = "\n".join(self.spoilt(chance, list(real)))
            try:
                grammar.parse(text)
            except grammar.Refused:
                continue
            right += 1
            self.assertTrue(self.takes(text), text)
        self.assertGreater(right, 100)

    def spoilt(self, chance, lines):
        """Change a file at random."""
        for _ in range(chance.choice([1, 1, 2])):
            number = chance.randrange(len(lines))
            words = lines[number].split()
            place = chance.randrange(len(words) + 1)
            kind = chance.randrange(5)
            if kind == 0:
                words.insert(place, chance.choice(PARTS))
            elif kind == 1:
                words[place : place + 1] = [chance.choice(PARTS)]
            elif kind == 2:
                del words[place : place + 1]
            elif kind == 3:
                words = chance.choice(lines).split()
            else:
                lines.insert(number, chance.choice(lines))
            lines[number] = " ".join(words)
        return lines

    def test_what_xvp_does_not_notice(self):
        name = "00000000-0000-4000-8000-000000000001"
        text = REAL.format(28000, 28011, 28012)
        text = text.replace("vm-c", name).replace('"vm d"', name)
        self.assertTrue(self.takes(text))
        with self.assertRaises(grammar.Refused):
            grammar.parse(text)


class ProcessTests(xvp.XVPCase):
    def setUp(self):
        super().setUp()
        self.ports = self.free_ports(3)
        self.config = self.folder / "xvp.conf"
        self.log = self.folder / "xvp.log"
        self.pid_file = self.folder / "xvp.pid"
        self.arguments = [
            *("-c", str(self.config), "-l", str(self.log)),
            *("-p", str(self.pid_file)),
        ]
        # In daemon mode it is nobody's child.
        self.addAsyncCleanup(leftovers.end, self.arguments, 0)
        self.write()

    def write(self, text=REAL):
        self.config.write_text(text.format(*self.ports))

    async def start(self, *options):
        """Start it, and end it with the test."""
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

    async def test_daemon_mode(self):
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

    async def test_a_bad_file_is_noticed_late(self):
        self.write("POOL a\n")
        fatal = f"Fatal: {self.config}: Syntax error at line 1"
        process = await self.start()
        self.assertEqual(0, await process.wait())
        await self.eventually(self.logged(fatal))
        process = await self.start("-n")
        self.assertEqual(1, await process.wait())
        await self.eventually(self.logged(fatal, 2))

    async def test_viewers(self):
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
            (multiplex, "password", "nobody"),
        ):
            with self.assertRaisesRegex(xvp.Denied, "Access denied"):
                async with viewer(port, password, target):
                    pass

    async def test_a_client_that_sends_ahead_is_lost(self):
        await self.start_master()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.ports[1]
        )
        writer.write(b"RFB 003.008\n\x02")
        self.assertEqual(b"RFB 003.008\n", await reader.read())
        writer.close()
        await writer.wait_closed()

    async def test_reloads(self):
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

    async def test_a_reload_and_a_port_in_use(self):
        process = await self.start_master()
        [port] = self.free_ports(1)
        with socket.create_server(("127.0.0.1", port)):
            self.ports[2] = port
            self.write()
            process.send_signal(signal.SIGUSR1)
            self.assertEqual(1, await process.wait())
        xvp_ports = self.ports[:2]
        self.assert_listening([], xvp_ports)

    @mock.patch.dict(os.environ, XVP_STAND_IN_RACE="5")
    async def test_a_reload_in_the_wrong_moment(self):
        process = await self.start_master()
        with socket.create_connection(("127.0.0.1", self.ports[0])):
            process.send_signal(signal.SIGUSR1)
            self.assertEqual(-signal.SIGKILL, await process.wait())

    async def test_other_signals(self):
        process = await self.start_master()
        moved = self.log.rename(self.folder / "old.log")
        process.send_signal(signal.SIGHUP)

        async def is_open_again():
            return self.log.exists()

        await self.eventually(is_open_again)
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

    async def test_a_second_one_deletes_the_pid_file_of_the_first(self):
        process = await self.start_master()
        self.assertEqual(f"{process.pid}\n", self.pid_file.read_text())
        second = await self.start("-n")
        self.assertEqual(1, await second.wait())
        self.assertFalse(self.pid_file.exists())
        self.assertIsNone(process.returncode)
