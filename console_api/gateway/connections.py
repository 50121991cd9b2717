# SPDX-License-Identifier: Apache-2.0
"""All WebSockets of a worker."""

import asyncio
import contextlib
import logging
import random
import traceback
from collections.abc import Collection, Sequence
from typing import Self

from oslo_config import cfg

from console_api.gateway.brokers.base import Broker, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.displays import Displays
from console_api.gateway.observers import Observer
from console_api.gateway.opening import Opening
from console_api.gateway.services import Services, Settings
from console_api.gateway.session import Session
from console_api.gateway.spice_channels import SpiceSessions
from console_api.gateway.spice_workers import SpiceWorkers
from console_api.gateway.upgrades import Upgrade, answer
from console_api.gateway.websocket import WebSocket

LOG = logging.getLogger(__name__)

# Seconds between checks of deadlines.
_SWEEP_INTERVAL = 1.0

# Seconds for the browsers' answers to the last close frames.
_LAST_CLOSE_TIMEOUT = 6


class Connections:
    """Opens, limits and closes the sessions of a worker."""

    def __init__(self, services: Services) -> None:
        """Start without connections."""
        self._services = services
        self._websockets: set[WebSocket] = set()
        self._emptied = asyncio.Event()

    @classmethod
    def from_conf(
        cls,
        conf: cfg.ConfigOpts,
        broker: Broker,
        observers: Sequence[Observer],
        spice: SpiceSessions,
        spice_workers: SpiceWorkers,
    ) -> Self:
        """Read the options.

        :param spice: the SPICE sessions of this worker
        :raises ConfigurationError: an option is invalid
        """
        return cls(
            Services(
                broker,
                Displays.from_conf(conf),
                observers,
                spice,
                spice_workers,
                Settings.from_conf(conf),
            )
        )

    def __len__(self) -> int:
        """Return how many WebSockets there are, closing ones included."""
        return len(self._websockets)

    @property
    def sessions(self) -> Collection[Session]:
        """The open sessions."""
        return self._services.sessions

    @property
    def is_draining(self) -> bool:
        """Whether the gateway stops, and opens nothing more."""
        return self._services.is_draining

    def reload(self, conf: cfg.ConfigOpts) -> None:
        """Read the options for displays again.

        :raises ConfigurationError: an option is invalid; the others stay
        """
        self._services.displays.reload(conf)

    async def serve(self, upgrade: Upgrade) -> None:
        """Open a session, or tell the browser why not.

        Returns once the session runs; it does so without a task.
        """
        services = self._services
        websocket = WebSocket(
            upgrade.transport,
            upgrade.early,
            services.buffer,
            max_size=services.settings.max_message_size,
            ping_interval=services.settings.ping_interval,
            on_lost=self._forget,
        )
        self._websockets.add(websocket)
        response = answer(upgrade.request)
        if response.status_code != 101:
            websocket.close_after(response.serialize())
            return
        opening = Opening(services, websocket, upgrade, response.serialize())
        try:
            await self._open(opening)
        except BaseException:
            websocket.abort()
            raise

    async def run(self) -> None:
        """Check deadlines until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_INTERVAL)
            self.sweep(loop.time())

    def sweep(self, now: float) -> None:
        """Check the deadlines of all sessions.

        :param now: in the event loop's time
        """
        services = self._services
        for session in (*services.sessions, *services.channels):
            try:
                session.sweep(now)
            except Exception:
                # The other sessions go on.
                LOG.exception("Session %s failed.", session.grant.session_id)
                session.cut(CloseReason.GATEWAY_ERROR)

    async def drain(self, grace: float) -> None:
        """Open no more sessions, and close those that are open.

        :param grace: in seconds, over which closing them is spread: their
            pages connect again
        """
        services = self._services
        services.is_draining = True
        sessions = list(services.sessions)
        random.shuffle(sessions)
        for number, session in enumerate(sessions):
            session.cut(CloseReason.GATEWAY_STOPPED)
            if number + 1 < len(sessions):
                await asyncio.sleep(grace / len(sessions))
        for session in (*services.sessions, *services.channels):
            session.cut(CloseReason.GATEWAY_STOPPED)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_CLOSE_TIMEOUT):
                while self._websockets:
                    self._emptied.clear()
                    await self._emptied.wait()

    async def _open(self, opening: Opening) -> None:
        trace = ""
        try:
            await opening.run()
        except ConnectionResetError:
            # The browser has gone.
            return
        except Refused as error:
            refusal = error
        except Exception as error:  # noqa: BLE001 (the browser is told)
            frames = traceback.format_tb(error.__traceback__)
            trace = "".join([*frames, type(error).__name__])
            refusal = Refused(CloseReason.GATEWAY_ERROR)
        else:
            return
        if trace:
            # The text of the error may contain a token.  oslo.log would add
            # it to a line that is logged while the error is handled.
            LOG.error("Unexpected error in an opening:\n%s", trace)
        opening.refuse(refusal)

    def _forget(self, websocket: WebSocket) -> None:
        self._websockets.discard(websocket)
        if not self._websockets:
            self._emptied.set()
