# SPDX-License-Identifier: Apache-2.0
"""The steps from a request for a WebSocket to a session."""

import asyncio
import logging
from dataclasses import replace
from typing import cast

from console_api.gateway.brokers.base import Credential, Grant, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.displays import protocol_of
from console_api.gateway.inbound import (
    Inbound,
    PlainInbound,
    RFBInbound,
    RFBRefusal,
)
from console_api.gateway.pump import DisplayConnection
from console_api.gateway.services import Services
from console_api.gateway.session import Session
from console_api.gateway.spice_channels import digest
from console_api.gateway.spice_inbound import (
    LinkWaiter,
    MainInbound,
    PendingChannel,
)
from console_api.gateway.upgrades import Upgrade
from console_api.gateway.websocket import WebSocket
from console_api.net.addresses import network
from console_api.net.dial import DialError
from console_api.net.stream import Stream
from console_api.rfb.errors import ViolationError
from console_api.spice.link import Link

LOG = logging.getLogger(__name__)

# Seconds after which a worker with too many sessions may have fewer.
_RETRY_AFTER = 30


class Opening:
    """Opens a session for one WebSocket.

    The opening handshake is answered as late as possible: what a browser
    sends before is kept by the kernel.
    """

    def __init__(
        self,
        services: Services,
        websocket: WebSocket,
        upgrade: Upgrade,
        response: bytes,
    ) -> None:
        """Prepare; ``run`` opens.

        :param response: answers the opening handshake
        """
        self._services = services
        self._websocket = websocket
        self._upgrade = upgrade
        self._response = response
        self._grant: Grant | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Open a session; return once it runs.

        For an additional channel of SPICE, return once that has ended.

        :raises Refused: the session cannot be opened
        :raises ConnectionResetError: the browser closed the connection
        """
        credential, early = self._check(), b""
        spice = self._services.spice
        if self._upgrade.is_spice or spice.has_main(credential):
            link = await self._read_link()
            if not link.is_main:
                await self._join(credential, link)
                return
            early = link.message
        self._check_limit()
        self._services.opening += 1
        try:
            await self._open(credential, early)
        finally:
            self._services.opening -= 1

    async def _open(self, credential: Credential, early: bytes) -> None:
        """Open a session, of SPICE after its first message.

        :param early: what was received from the browser
        """
        grant = await self._services.broker.open(
            credential, self._upgrade.client
        )
        try:
            await self._connect(self._restrict(grant), credential, early)
        except Refused as refusal:
            self._services.broker.abandoned(grant, refusal.reason)
            raise
        except BaseException as error:
            self._services.broker.abandoned(
                grant,
                CloseReason.GATEWAY_STOPPED
                if isinstance(error, asyncio.CancelledError)
                else CloseReason.GATEWAY_ERROR,
            )
            raise

    def refuse(self, refusal: Refused) -> None:
        """Tell the browser why there is no session."""
        self._accept()
        for observer in self._services.observers:
            observer.refused(self._upgrade.client, refusal, self._grant)
        if (
            self._grant is not None
            and refusal.reason is CloseReason.DISPLAY_UNREACHABLE
            and protocol_of(self._grant.console_type) == "vnc"
        ):
            self._websocket.receive(
                RFBRefusal(self._websocket, refusal.reason)
            )
            self._loop.call_later(
                self._services.settings.handshake_timeout,
                self._websocket.close,
                refusal.reason,
            )
        else:
            self._websocket.close(refusal.reason, str(refusal))

    def _check(self) -> Credential:
        services = self._services
        if services.is_draining:
            raise Refused(CloseReason.GATEWAY_STOPPED)
        if self._upgrade.credential is None:
            raise Refused(CloseReason.INVALID_TOKEN)
        return self._upgrade.credential

    def _check_limit(self) -> None:
        services = self._services
        count = len(services.sessions) + services.opening
        if count >= services.settings.max_sessions:
            raise Refused(
                CloseReason.LIMIT_REACHED,
                "The gateway has too many sessions. Try again later.",
                label="worker_limit",
                retry_after=_RETRY_AFTER,
            )

    def _restrict(self, grant: Grant) -> Grant:
        if self._services.settings.is_view_only:
            grant = replace(grant, view_only=True)
        self._grant = grant
        return grant

    def _accept(self) -> None:
        """Answer the opening handshake, once."""
        response, self._response = self._response, b""
        self._websocket.send_raw(response)

    async def _connect(
        self, grant: Grant, credential: Credential, early: bytes
    ) -> None:
        started_at = self._loop.time()
        stream = await self._dial(grant)
        dial_seconds = self._loop.time() - started_at
        services = self._services
        if services.is_draining:
            # The other sessions may have been closed already.
            stream.close()
            raise Refused(CloseReason.GATEWAY_STOPPED)
        session = Session(
            grant, self._upgrade.client, self._websocket, services.end
        )
        display = self._attach(session, stream)
        inbound = self._inbound(session, credential, display)
        services.sessions.add(session)
        services.broker.opened(session)
        for observer in services.observers:
            observer.opened(session, dial_seconds)
        session.start(inbound, early, services.settings.handshake_timeout)

    def _inbound(
        self,
        session: Session,
        credential: Credential,
        display: DisplayConnection,
    ) -> Inbound:
        grant = session.grant
        protocol = protocol_of(grant.console_type)
        if protocol == "vnc":
            handshake = RFBInbound(
                self._websocket,
                is_view_only=grant.view_only,
                is_exclusive=grant.exclusive,
            )
            handshake.begin()
            return handshake
        if protocol == "spice":
            return MainInbound(
                self._services.spice,
                credential,
                grant,
                display,
                session.counters,
            )
        return PlainInbound(is_view_only=grant.view_only)

    async def _dial(self, grant: Grant) -> Stream:
        if protocol_of(grant.console_type) is None:
            raise Refused(CloseReason.UNSUPPORTED)
        try:
            return await self._services.displays.open(grant)
        except DialError as error:
            cause = error
        # Outside, or oslo.log would say it twice.
        LOG.warning(
            "The display of server %s cannot be reached: %s",
            grant.server_id,
            cause,
        )
        raise Refused(CloseReason.DISPLAY_UNREACHABLE) from cause

    def _attach(self, session: Session, stream: Stream) -> DisplayConnection:
        """Connect a session to its display, and answer the browser."""
        try:
            display = session.connect(stream, self._services.buffer)
        except ConnectionResetError as error:
            raise Refused(CloseReason.DISPLAY_UNREACHABLE) from error
        self._accept()
        return display

    async def _read_link(self) -> Link:
        """Wait for the first message of a channel of SPICE."""
        self._accept()
        waiter = LinkWaiter()
        self._websocket.receive(waiter)
        # The credential was not checked yet: without a valid one, a client
        # must not keep out others.
        linking = self._services.linking
        task = cast("asyncio.Task[None]", asyncio.current_task())
        linking.add(task, network(self._upgrade.client.address))
        try:
            async with asyncio.timeout(
                self._services.settings.handshake_timeout
            ):
                link = await waiter.link
        except ViolationError as error:
            raise Refused(CloseReason.VIOLATION, str(error)) from error
        except TimeoutError as error:
            raise Refused(CloseReason.CONNECTION_LOST) from error
        finally:
            linking.discard(task)
        self._websocket.pause()
        return link

    async def _join(self, credential: Credential, link: Link) -> None:
        """Serve a channel besides main until it ends."""
        services, channel = self._services, PendingChannel()
        async with services.spice_workers.join(
            credential, link, channel
        ) as main:
            # Main is limited, and the channel ends with it.
            grant = replace(main, max_duration=0, idle_timeout=0)
            over = asyncio.Event()
            # None if main is in another process, which cannot count it.
            spice = services.spice.find(digest(credential), link)
            session = Session(
                grant,
                self._upgrade.client,
                self._websocket,
                lambda _session, _reason: over.set(),
                None if spice is None else spice.counters,
            )
            self._attach(session, await self._dial(grant))
            services.channels.add(session)
            try:
                channel.attach(session)
                session.start(
                    PlainInbound(),
                    link.message,
                    services.settings.handshake_timeout,
                )
                await over.wait()
            finally:
                services.channels.discard(session)
                session.cut(CloseReason.GATEWAY_STOPPED)
