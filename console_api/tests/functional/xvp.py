# SPDX-License-Identifier: Apache-2.0
"""Drivers, viewers and ports for the tests of the xvp driver."""

import asyncio
import contextlib
import logging
import os
import shlex
import struct
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from oslo_config import cfg

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.xvp import ports
from console_api.agent.drivers.xvp.driver import XVPDriver
from console_api.agent.drivers.xvp.processes import Processes
from console_api.conf import agent
from console_api.conf import xvp as options
from console_api.tests.functional.xvp_stand_in.session import answer
from console_api.tests.waiting import wait_until_async

PASSWORD = "Xv9_k-2+"

# Seconds that a viewer may take.
TIMEOUT = 30


class Denied(Exception):
    """The authentication of a viewer failed."""


def write_program(path):
    """Write an executable that runs the stand-in for xvp."""
    python = shlex.quote(sys.executable)
    path.write_text(
        "#!/bin/sh\n"
        f"exec {python} -m console_api.tests.functional.xvp_stand_in "
        '"$@"\n'
    )
    path.chmod(0o700)


class XVPCase(unittest.IsolatedAsyncioTestCase):
    """Each test has a folder, and drivers that are closed when it ends."""

    def setUp(self):
        super().setUp()
        # Reloads during a connect are fatal only in the tests of that.
        self.enterContext(mock.patch.dict(os.environ, XVP_STAND_IN_RACE="0"))
        self.use(
            Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        )
        write_program(self.binary)
        # Expected warnings are not printed.
        quiet = logging.NullHandler()
        logging.getLogger().addHandler(quiet)
        self.addCleanup(logging.getLogger().removeHandler, quiet)

    def use(self, folder):
        """Set the folder of all files."""
        self.folder = folder
        self.state = folder / "state"
        self.binary = folder / "xvp"

    def conf(self, *, multiplex_port=None, pools=None, **values):
        """Write and load a configuration."""
        pools = pools or {"pool": {}}
        sections = {
            "xvp": {
                "pools": ", ".join(pools),
                "binary": self.binary,
                "state_dir": self.state,
                "reload_interval": 0.01,
                **values,
            },
            **{
                f"xvp_pool:{name}": {
                    "manager_password": "a secret",
                    "hosts": "xs1=192.0.2.1, xs2",
                    **pool,
                }
                for name, pool in pools.items()
            },
        }
        path = self.folder / "console_api.conf"
        path.write_text(
            "".join(
                f"[{name}]\n"
                + "".join(
                    f"{key} = {value}\n" for key, value in section.items()
                )
                for name, section in sections.items()
            )
        )
        conf = cfg.ConfigOpts()
        conf.register_opts(options.OPTS, group=options.GROUP)
        conf.register_opts(agent.OPTS, group=agent.GROUP)
        conf([], default_config_files=[str(path)], default_config_dirs=[])
        conf.set_override("multiplex_port", multiplex_port, group="agent")
        conf.set_override("ports", "12000-12999", group="agent")
        return conf

    async def driver(self, **kwargs):
        """Start a driver that is closed when the test ends."""
        driver = XVPDriver.from_conf(self.conf(**kwargs), None)
        self.addAsyncCleanup(driver.close)
        await driver.start()
        return driver

    def processes(self):
        """Return the ids of the xvp processes of this test's folder."""
        return [process.pid for process in self.xvp_processes().find()]

    def masters(self):
        """Return the ids of those that are not sessions."""
        return [pid for pid in self.processes() if is_master(pid)]

    def xvp_processes(self):
        """Return what finds and ends the xvp processes of this test."""
        return Processes(self.state / "xvp.log", ["no such argument"])

    async def eventually(self, condition):
        """Wait until a condition holds."""
        await wait_until_async(condition)

    async def serves(self, *consoles):
        """Return whether each console shows the screen of its server."""
        for console in consoles:
            try:
                async with viewer(console.port, console.password) as name:
                    if name != console.instance_name:
                        return False
            except (Denied, OSError):
                return False
        return True

    def assert_listening(self, expected, among):
        """Assert that exactly the expected ones of some ports are open."""
        self.assertEqual(set(expected), set(ports.listeners(set(among))))


def is_master(pid):
    """Return whether a process leads a process group, as masters do."""
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


def console(number, port=None, **values):
    """Return a console."""
    return Console(
        **{
            "id": number,
            "server_id": f"00000000-0000-4000-8000-{number:012d}",
            "instance_name": f"instance-{number:08x}",
            "compute_host": "compute-1",
            "port": port,
            "password": PASSWORD,
            **values,
        }
    )


def by_id(*consoles):
    """Return consoles by their ids."""
    return {console.id: console for console in consoles}


@contextlib.asynccontextmanager
async def viewer(port, password, target=None, minor=8):
    """Connect as a VNC viewer, and yield the name of the screen.

    :param target: the server to request with xvp's security type
    :raises Denied: the authentication failed
    :raises OSError: the port is closed, or the connection ended
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(TIMEOUT):
            yield await _log_in(reader, writer, password, target, minor)
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _log_in(reader, writer, password, target, minor):
    await reader.readexactly(12)
    return await log_in(reader, writer, password, target, minor)


async def log_in(reader, writer, password, target=None, minor=8):
    """Log in after the version of the server has been read."""
    writer.write(f"RFB 003.{minor:03}\n".encode())
    if minor == 3:
        await reader.readexactly(4)
    else:
        await reader.readexactly((await reader.readexactly(1))[0])
        if target is None:
            writer.write(bytes([2]))
        else:
            writer.write(bytes([22, 0, len(target)]) + target.encode())
    challenge = await reader.readexactly(16)
    writer.write(answer(password.encode().ljust(8, b"\0"), challenge))
    if await reader.readexactly(4) != bytes(4):
        raise Denied(await reader.read())
    writer.write(bytes([1]))
    await reader.readexactly(20)
    [length] = struct.unpack(">I", await reader.readexactly(4))
    return (await reader.readexactly(length)).decode()
