# SPDX-License-Identifier: Apache-2.0
"""The driver ``xvp``: keeps file, daemon and what is desired together."""

import asyncio
import fcntl
import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, ClassVar, Self

from oslo_config import cfg

from console_api import errors
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.drivers.xvp import fields, pools, ports
from console_api.agent.drivers.xvp.daemon import Daemon
from console_api.agent.drivers.xvp.writer import MAX_PORTS, Plan, Writer
from console_api.agent.host import port_range
from console_api.directory.base import Directory

LOG = logging.getLogger(__name__)

# Seconds between tries to start an xvp that does not stay: at first and at
# most, and how long it has to live for the first one to count again.
_FIRST_PAUSE = 0.1
_LAST_PAUSE = 5.0
_STABLE = 10.0

# Seconds that a console is left out for when xvp did not take a file with it.
_SUSPECT = 300.0


class XVPDriver(Driver):
    """Serves consoles with one xvp."""

    console_type: ClassVar[str] = "vnc+xvp"

    def __init__(
        self,
        writer: Writer,
        binary: str,
        folder: Path,
        *,
        reload_interval: float,
        start_timeout: float,
    ) -> None:
        """Serve nothing yet.

        :param folder: of the files of xvp; must be there
        :raises ConfigurationError: another agent uses the folder
        """
        self._lock_file = _lock(folder)
        self._writer = writer
        self._log = folder / "xvp.log"
        self._interval = reload_interval
        self._changed_at = -reload_interval
        self._broken = asyncio.Event()
        self._daemon = Daemon(
            binary, folder, start_timeout, on_death=self._broken.set
        )
        self._lock = asyncio.Lock()
        self._mender: asyncio.Task[None] | None = None
        self._wanted: Mapping[int, Console] = {}
        self._problems: Mapping[int, str] = {}
        # What xvp has served, and what it may have died of.
        self._good: Mapping[int, Console] = {}
        self._suspects: Mapping[int, Console] = {}
        self._suspects_until = 0.0

    @classmethod
    def from_conf(
        cls,
        conf: cfg.ConfigOpts,
        directory: Directory,  # noqa: ARG003 (xvp finds servers by itself)
    ) -> Self:
        """Make the driver; see ``Driver.from_conf``."""
        multiplex_port = conf.agent.multiplex_port
        _check_ports(conf)
        binary = shutil.which(conf.xvp.binary)
        if binary is None:
            raise errors.ConfigurationError(
                f"[xvp] binary: there is no program {conf.xvp.binary}. "
                "Install xvp, or set its path."
            )
        return cls(
            Writer(pools.read(conf), multiplex_port),
            binary,
            _folder(Path(conf.xvp.state_dir)),
            reload_interval=conf.xvp.reload_interval,
            start_timeout=conf.xvp.start_timeout,
        )

    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        """Make exactly these consoles; see ``Driver.apply``.

        Calls at the same time wait for each other, and the latest wins.
        """
        self._wanted = dict(consoles)
        async with self._lock:
            if self._mender is None:
                await self._daemon.end_leftovers()
                self._mender = asyncio.create_task(self._mend())
            await self._serve()
            return dict(self._problems)

    async def close(self) -> None:
        """End xvp with all its sessions."""
        if self._mender is not None:
            self._mender.cancel()
            await asyncio.wait([self._mender])
        async with self._lock:
            await self._daemon.stop()
        self._lock_file.close()

    async def _mend(self) -> None:
        """Start xvp again whenever it has died."""
        loop = asyncio.get_running_loop()
        pause, mended_at = _FIRST_PAUSE, 0.0
        while True:
            await self._broken.wait()
            await asyncio.sleep(pause)
            async with self._lock:
                if not self._broken.is_set():
                    # It was ended on purpose, or is back already.
                    continue
                LOG.warning("xvp does not run. It is started again.")
                try:
                    await self._serve()
                except Exception:
                    # Whatever it was: nobody else would try again.
                    LOG.exception("xvp could not be started again.")
            stable = loop.time() - mended_at > _STABLE
            pause = _FIRST_PAUSE if stable else min(2 * pause, _LAST_PAUSE)
            mended_at = loop.time()

    async def _serve(self) -> None:
        """Make xvp serve what is wanted, as far as that is possible."""
        await self._daemon.settle()
        plan = await self._plan(self._wanted)
        if plan.text == self._daemon.text:
            self._broken.clear()
        else:
            if self._daemon.alive:
                await self._wait_for_turn()
            plan = await self._change()
        self._problems = plan.problems

    async def _wait_for_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self._changed_at + self._interval - now)

    async def _plan(self, consoles: Mapping[int, Console]) -> Plan:
        """Plan a file without what other programs or xvp do not allow."""
        if asyncio.get_running_loop().time() > self._suspects_until:
            self._suspects = {}
        suspects = _common(consoles, self._suspects)
        return await asyncio.to_thread(
            self._plan_now,
            {n: c for n, c in consoles.items() if n not in suspects},
            dict.fromkeys(
                suspects,
                f"xvp ended when it was to serve it. See {self._log}. It is "
                f"tried again in {_SUSPECT / 60:.0f} minutes.",
            ),
        )

    def _plan_now(
        self, consoles: Mapping[int, Console], problems: Mapping[int, str]
    ) -> Plan:
        wanted = self._writer.ports(consoles) - self._daemon.ports
        plan = self._writer.plan(consoles, ports.taken(wanted))
        return replace(plan, problems={**plan.problems, **problems})

    async def _change(self) -> Plan:
        """Make xvp serve another file, and return the plan it serves."""
        plan = await self._plan(self._wanted)
        if await self._try(plan):
            return plan
        # Another program may have been faster to take a port.
        again = await self._plan(self._wanted)
        if again.text != plan.text and await self._try(again):
            return again
        return await self._fall_back(again)

    async def _fall_back(self, plan: Plan) -> Plan:
        """Serve those consoles of a plan that xvp has served before."""
        known = _common(plan.consoles, self._good)
        if known and len(known) < len(plan.consoles):
            smaller = await self._plan(known)
            if await self._try(smaller):
                now = asyncio.get_running_loop().time()
                self._suspects_until = now + _SUSPECT
                self._suspects = {
                    number: console
                    for number, console in plan.consoles.items()
                    if number not in known
                }
                return await self._plan(self._wanted)
        self._broken.set()
        reason = f"xvp does not run. See {self._log}, and this agent's log."
        lost = dict.fromkeys(plan.consoles, reason)
        return replace(plan, problems={**plan.problems, **lost})

    async def _try(self, plan: Plan) -> bool:
        try:
            served = await self._daemon.serve(plan.text, plan.ports)
        except OSError as error:
            LOG.error("xvp.conf cannot be written: %s", error)  # noqa: TRY400
            return False
        finally:
            self._changed_at = asyncio.get_running_loop().time()
        if served:
            self._good = plan.consoles
            self._broken.clear()
        return served


def _check_ports(conf: cfg.ConfigOpts) -> None:
    """Refuse what the API would place and xvp could not serve."""
    multiplex_port = conf.agent.multiplex_port
    if multiplex_port is not None:
        if multiplex_port not in fields.PORTS:
            raise errors.ConfigurationError(
                "[agent] multiplex_port: xvp takes ports from 1024 to 65535."
            )
        return
    found = port_range(conf)
    if found[0] not in fields.PORTS or len(found) > MAX_PORTS:
        raise errors.ConfigurationError(
            f"[agent] ports: xvp takes up to {MAX_PORTS} ports, from 1024 on. "
            "Give such a range, or set [agent] multiplex_port."
        )


def _common(
    consoles: Mapping[int, Console], others: Mapping[int, Console]
) -> dict[int, Console]:
    return {
        number: console
        for number, console in consoles.items()
        if others.get(number) == console
    }


def _folder(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise errors.ConfigurationError(
            f"[xvp] state_dir: the folder {path} cannot be made: {error}"
        ) from error
    return path.resolve()


def _lock(folder: Path) -> IO[str]:
    """Make sure that no other agent uses a folder, until the end of this.

    The lock ends with the process, however that ends.
    """
    try:
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise errors.ConfigurationError(
            f"[xvp] state_dir: the folder {folder} cannot be used: {error}"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise errors.ConfigurationError(
            f"[xvp] state_dir: another agent uses the folder {folder}. Give "
            "each a folder of its own."
        ) from error
    return file
