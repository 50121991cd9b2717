# SPDX-License-Identifier: Apache-2.0
"""The driver ``xvp``: one xvp process serves the consoles of this host."""

import asyncio
import logging
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, ClassVar, Self

from oslo_config import cfg

from console_api import errors
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.drivers.xvp import pools, ports, state_dir
from console_api.agent.drivers.xvp.daemon import Daemon
from console_api.agent.drivers.xvp.writer import Plan, Writer
from console_api.directory.base import Directory

LOG = logging.getLogger(__name__)

# Seconds before an xvp that has died is restarted: the delay doubles with
# each restart up to the maximum, and is reset once xvp has run long enough.
_MIN_BACKOFF = 0.1
_MAX_BACKOFF = 5.0
_STABLE_TIME = 10.0

# Seconds for which a console is left out after xvp refused a file with it.
_QUARANTINE_TIME = 300.0

# How many consoles are left out, one after another, before the rest of the
# file waits for the next attempt.
_MAX_REFUSALS = 20


class XVPDriver(Driver):
    """Serve consoles with one xvp process."""

    console_type: ClassVar[str] = "vnc+xvp"
    can_hand_over: ClassVar[bool] = True

    def __init__(
        self,
        writer: Writer,
        binary: str,
        folder: Path,
        *,
        reload_interval: float,
        start_timeout: float,
    ) -> None:
        """Prepare; ``start`` takes over a running xvp, ``apply`` starts one.

        :param folder: an existing directory for the files of xvp
        :param reload_interval: minimum seconds between two reloads
        :param start_timeout: seconds for opening all ports, and for exiting
        """
        self._folder = folder
        self._lock_file: IO[str] | None = None
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
        self._trouble: str | None = None
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
        pools.check_ports(conf)
        binary = shutil.which(conf.xvp.binary)
        if binary is None:
            raise errors.ConfigurationError(
                f"[xvp] binary: cannot find the program {conf.xvp.binary}. "
                "Install xvp, or set its path."
            )
        return cls(
            Writer(pools.read(conf), multiplex_port),
            binary,
            state_dir.create(Path(conf.xvp.state_dir)),
            reload_interval=conf.xvp.reload_interval,
            start_timeout=conf.xvp.start_timeout,
        )

    async def start(self, sockets: Sequence[socket.socket] = ()) -> None:
        """Take over the xvp of a previous agent; see ``Driver.start``.

        :raises ConfigurationError: another agent uses the directory
        """
        await super().start(sockets)
        self._lock_file = state_dir.lock(self._folder)
        await self._daemon.adopt()
        self._supervisor = asyncio.create_task(self._supervise())

    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        """Serve exactly these consoles; see ``Driver.apply``.

        Concurrent calls wait for each other, and the latest one wins.
        """
        self._wanted = dict(consoles)
        async with self._lock:
            if self._supervisor is None:
                # A successor has xvp.
                return {}
            await self._serve()
            return dict(self._problems)

    @property
    def trouble(self) -> str | None:
        """Whether xvp cannot be started; see ``Driver.trouble``."""
        return self._trouble

    async def pause(self) -> Sequence[socket.socket]:
        """Leave xvp running, unsupervised; see ``Driver.pause``."""
        await self._stop_supervision()
        self._daemon.detach()
        self._unlock()
        return []

    async def resume(self) -> None:
        """Take xvp over again; see ``Driver.resume``."""
        await self.start()

    async def release(self) -> None:
        """Do nothing: xvp belongs to the successor."""

    async def close(self) -> None:
        """Stop xvp with all its sessions, unless a successor has it."""
        if self._supervisor is not None:
            await self._stop_supervision()
            await self._daemon.stop()
        self._unlock()

    async def _stop_supervision(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])
        async with self._lock:
            self._supervisor = None

    def _unlock(self) -> None:
        if self._lock_file is not None:
            self._lock_file.close()
        self._lock_file = None

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
            self._mark_served(plan)
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
        for _attempt in range(_MAX_REFUSALS):
            plan = await self._plan(self._wanted)
            if await self._try(plan):
                return plan
            console_id = plan.lines.get(self._daemon.refused_line or 0)
            if console_id is None:
                break
            self._quarantine({console_id: plan.consoles[console_id]})
        # It may have been something else: since the plan was made, another
        # program may have taken a port.
        plan = await self._plan(self._wanted)
        if await self._try(plan):
            return plan
        return await self._fall_back(plan)

    def _quarantine(self, consoles: Mapping[int, Console]) -> None:
        now = asyncio.get_running_loop().time()
        self._quarantine_ends_at = now + _QUARANTINE_TIME
        self._quarantined = {**self._quarantined, **consoles}

    async def _fall_back(self, plan: Plan) -> Plan:
        """Serve only those consoles of a plan that xvp has served before."""
        known = _common(plan.consoles, self._good)
        if known and len(known) < len(plan.consoles):
            smaller = await self._plan(known)
            if await self._try(smaller):
                self._quarantine(
                    {
                        number: console
                        for number, console in plan.consoles.items()
                        if number not in known
                    }
                )
                return await self._plan(self._wanted)
        self._down.set()
        self._trouble = (
            f"xvp is not running. See {self._log} and the agent's log."
        )
        unserved = dict.fromkeys(plan.consoles, self._trouble)
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
            self._mark_served(plan)
        return served

    def _mark_served(self, plan: Plan) -> None:
        self._trouble = None
        # Otherwise, xvp has died since, and has to be restarted.
        if self._daemon.is_running or not plan.text:
            self._down.clear()


def _common(
    consoles: Mapping[int, Console], others: Mapping[int, Console]
) -> dict[int, Console]:
    return {
        number: console
        for number, console in consoles.items()
        if others.get(number) == console
    }
