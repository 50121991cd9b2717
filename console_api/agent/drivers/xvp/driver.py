# SPDX-License-Identifier: Apache-2.0
"""The driver ``xvp``: one xvp process serves the consoles of this host."""

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
from console_api.directory.base import Directory

LOG = logging.getLogger(__name__)

# Seconds before an xvp that has died is restarted: the delay doubles with
# each restart up to the maximum, and is reset once xvp has run long enough.
_MIN_BACKOFF = 0.1
_MAX_BACKOFF = 5.0
_STABLE_TIME = 10.0

# Seconds for which a console is left out after xvp refused a file with it.
_QUARANTINE_TIME = 300.0


class XVPDriver(Driver):
    """Serve consoles with one xvp process."""

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
        """Prepare; ``apply`` starts xvp.

        :param folder: an existing directory for the files of xvp
        :param reload_interval: minimum seconds between two reloads
        :param start_timeout: seconds for opening all ports, and for exiting
        :raises ConfigurationError: another agent uses the directory
        """
        self._lock_file = _lock(folder)
        self._writer = writer
        self._log = folder / "xvp.log"
        self._reload_interval = reload_interval
        self._reloaded_at = -reload_interval
        self._down = asyncio.Event()
        self._daemon = Daemon(
            binary, folder, start_timeout, on_exit=self._down.set
        )
        self._lock = asyncio.Lock()
        self._supervisor: asyncio.Task[None] | None = None
        self._wanted: Mapping[int, Console] = {}
        self._problems: Mapping[int, str] = {}
        # What xvp has served, and what it may have refused a file for.
        self._good: Mapping[int, Console] = {}
        self._quarantined: Mapping[int, Console] = {}
        self._quarantine_ends_at = 0.0

    @classmethod
    def from_conf(
        cls,
        conf: cfg.ConfigOpts,
        directory: Directory,  # noqa: ARG003 (xvp finds servers by itself)
    ) -> Self:
        """Create the driver; see ``Driver.from_conf``."""
        multiplex_port = conf.agent.multiplex_port
        _check_ports(conf)
        binary = shutil.which(conf.xvp.binary)
        if binary is None:
            raise errors.ConfigurationError(
                f"[xvp] binary: cannot find the program {conf.xvp.binary}. "
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
        """Serve exactly these consoles; see ``Driver.apply``.

        Concurrent calls wait for each other, and the latest one wins.
        """
        self._wanted = dict(consoles)
        async with self._lock:
            if self._supervisor is None:
                await self._daemon.adopt()
                self._supervisor = asyncio.create_task(self._supervise())
            await self._serve()
            return dict(self._problems)

    async def close(self) -> None:
        """Stop xvp with all its sessions."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])
        async with self._lock:
            await self._daemon.stop()
        self._lock_file.close()

    async def _supervise(self) -> None:
        """Restart xvp whenever it has died, backing off."""
        loop = asyncio.get_running_loop()
        backoff, restarted_at = _MIN_BACKOFF, 0.0
        while True:
            await self._down.wait()
            await asyncio.sleep(backoff)
            async with self._lock:
                if not self._down.is_set():
                    # It was stopped on purpose, or is running again.
                    continue
                LOG.warning("xvp is not running. Restarting it.")
                try:
                    await self._serve()
                except Exception:
                    # This task is the only one that tries again.
                    LOG.exception("Cannot restart xvp.")
            is_stable = loop.time() - restarted_at > _STABLE_TIME
            backoff = (
                _MIN_BACKOFF if is_stable else min(2 * backoff, _MAX_BACKOFF)
            )
            restarted_at = loop.time()

    async def _serve(self) -> None:
        """Make xvp serve the wanted consoles, as far as possible."""
        await self._daemon.settle()
        plan = await self._plan(self._wanted)
        if plan.text == self._daemon.text:
            self._down.clear()
        else:
            if self._daemon.is_running:
                await self._wait_for_reload_interval()
            plan = await self._change()
        self._problems = plan.problems

    async def _wait_for_reload_interval(self) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self._reloaded_at + self._reload_interval - now)

    async def _plan(self, consoles: Mapping[int, Console]) -> Plan:
        """Plan a file without ports in use and consoles in quarantine."""
        if asyncio.get_running_loop().time() > self._quarantine_ends_at:
            self._quarantined = {}
        quarantined = _common(consoles, self._quarantined)
        return await asyncio.to_thread(
            self._plan_now,
            {n: c for n, c in consoles.items() if n not in quarantined},
            dict.fromkeys(
                quarantined,
                f"xvp exited when it was to serve it. See {self._log}. It is "
                f"retried after {_QUARANTINE_TIME / 60:.0f} minutes.",
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
        # Another program may have taken a port since the plan was made.
        again = await self._plan(self._wanted)
        if again.text != plan.text and await self._try(again):
            return again
        return await self._fall_back(again)

    async def _fall_back(self, plan: Plan) -> Plan:
        """Serve only those consoles of a plan that xvp has served before."""
        known = _common(plan.consoles, self._good)
        if known and len(known) < len(plan.consoles):
            smaller = await self._plan(known)
            if await self._try(smaller):
                now = asyncio.get_running_loop().time()
                self._quarantine_ends_at = now + _QUARANTINE_TIME
                self._quarantined = {
                    number: console
                    for number, console in plan.consoles.items()
                    if number not in known
                }
                return await self._plan(self._wanted)
        self._down.set()
        reason = f"xvp is not running. See {self._log} and the agent's log."
        unserved = dict.fromkeys(plan.consoles, reason)
        return replace(plan, problems={**plan.problems, **unserved})

    async def _try(self, plan: Plan) -> bool:
        try:
            served = await self._daemon.serve(plan.text, plan.ports)
        except OSError as error:
            LOG.error("Cannot write xvp.conf: %s", error)  # noqa: TRY400
            return False
        finally:
            self._reloaded_at = asyncio.get_running_loop().time()
        if served:
            self._good = plan.consoles
            self._down.clear()
        return served


def _check_ports(conf: cfg.ConfigOpts) -> None:
    """Refuse ports that the API would assign and xvp cannot serve."""
    multiplex_port = conf.agent.multiplex_port
    if multiplex_port is not None:
        if multiplex_port not in fields.PORTS:
            raise errors.ConfigurationError(
                "[agent] multiplex_port: xvp accepts ports from 1024 to 65535."
            )
        return
    found = conf.agent.ports
    if found[0] not in fields.PORTS or len(found) > MAX_PORTS:
        raise errors.ConfigurationError(
            f"[agent] ports: xvp accepts at most {MAX_PORTS} ports, from 1024 "
            "up. Set such a range, or [agent] multiplex_port."
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
            f"[xvp] state_dir: cannot create the directory {path}: {error}"
        ) from error
    return path.resolve()


def _lock(folder: Path) -> IO[str]:
    """Lock a directory against other agents.

    The lock is released when the process exits, however it exits.
    """
    try:
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise errors.ConfigurationError(
            f"[xvp] state_dir: cannot use the directory {folder}: {error}"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise errors.ConfigurationError(
            f"[xvp] state_dir: another agent uses the directory {folder}. "
            "Set a different directory for each agent."
        ) from error
    return file
