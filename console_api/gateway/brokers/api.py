# SPDX-License-Identifier: Apache-2.0
"""The broker that opens, reports and closes sessions at the API."""

import asyncio
import contextlib
import logging
import socket
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Self

from oslo_config import cfg

from console_api.conf import gateway_api
from console_api.gateway.brokers import answers
from console_api.gateway.brokers.base import (
    Broker,
    BrokerStatistics,
    Client,
    Credential,
    Grant,
    OpenSession,
    Traffic,
)
from console_api.gateway.brokers.heartbeats import Heartbeats, Worker
from console_api.gateway.brokers.reports import EndedSessions, TrafficReports
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.service_client import (
    RequestFailed,
    Response,
    ServiceClient,
)

LOG = logging.getLogger(__name__)

# Requests for sessions at a time; others wait, within their time limit.
_MAX_REQUESTS = 32


class ApiBroker(Broker):
    """Lets the API decide; create it in the process that serves sessions.

    While the API is down, open sessions continue, and no other one is opened.
    """

    def __init__(
        self,
        client: ServiceClient,
        name: str,
        heartbeat_interval: int,
    ) -> None:
        """Prepare; sends nothing yet.

        :param client: of the API
        :param name: of the gateway
        :param heartbeat_interval: in seconds
        """
        self._client = client
        self._worker = Worker(str(uuid.uuid4()), name, heartbeat_interval)
        self._statistics = BrokerStatistics()
        self._open = TrafficReports()
        self._ended = EndedSessions()
        self._slots = asyncio.Semaphore(_MAX_REQUESTS)
        self._heartbeats = Heartbeats(
            client,
            self._worker,
            self._open,
            self._ended,
            self._statistics,
        )

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Create the broker from the options.

        :raises ConfigurationError: an option is invalid
        """
        options = conf.gateway
        return cls(
            ServiceClient(conf, gateway_api.GROUP, gateway_api.register),
            options.name or socket.gethostname(),
            options.heartbeat_interval,
        )

    @property
    def gateway_id(self) -> str:
        """The ID of this worker at the API, a UUID."""
        return self._worker.id

    @property
    def statistics(self) -> BrokerStatistics:
        """What it counted until now."""
        self._statistics.pending_reports = len(self._ended)
        return self._statistics

    @property
    def sessions(self) -> Sequence[OpenSession]:
        """The sessions that are open."""
        return self._open.sessions

    @property
    def trouble(self) -> str | None:
        """Why no session can be opened now, a sentence; None if it can."""
        return self._heartbeats.trouble

    async def exchange(self, credential: Credential, client: Client) -> Grant:
        """Exchange a token for a secret, for a page that will connect.

        :param credential: a token
        :raises Refused: the token does not allow it
        """
        wanted = {"token": credential.token, "connect": False}
        return await self._request(wanted, client, has_secret=True)

    async def open(self, credential: Credential, client: Client) -> Grant:
        """Open a session for a viewer that is connected.

        :raises Refused: the credential does not allow it
        """
        if credential.token is not None:
            wanted: dict[str, object] = {"token": credential.token}
        else:
            wanted = {"secret": credential.secret}
        has_secret = credential.token is not None
        grant = await self._request(
            {**wanted, "connect": True}, client, has_secret=has_secret
        )
        if not has_secret:
            # The response names the session that this one has taken over.
            self._heartbeats.hurry()
        return grant

    def opened(self, session: OpenSession) -> None:
        """Report and cut a session from now on, until ``closed``."""
        self._open.add(session, asyncio.get_running_loop().time())

    def closed(self, session: OpenSession, reason: CloseReason) -> None:
        """Record that an ``opened`` session has ended; never waits."""
        self._open.remove(session)
        self._end(session.grant, reason, session.traffic)

    def abandoned(self, grant: Grant, reason: CloseReason) -> None:
        """Record that a granted session never became an ``opened`` one."""
        self._end(grant, reason, Traffic(0, 0, 0))

    async def run(self) -> None:
        """Report sessions, and cut those that have to be, until cancelled."""
        await self._heartbeats.run()

    async def finish(self, timeout: float) -> None:  # noqa: ASYNC109 (part of the contract)
        """Send what is still to be reported, and close all connections.

        :param timeout: in seconds
        """
        try:
            await self._heartbeats.stop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._heartbeats.flush()
        finally:
            await self._client.close()

    def _end(
        self, grant: Grant, reason: CloseReason, traffic: Traffic
    ) -> None:
        self._ended.add(grant.session_id, reason.label, traffic)
        self._heartbeats.send_ended()

    async def _request(
        self, wanted: Mapping[str, object], client: Client, *, has_secret: bool
    ) -> Grant:
        """Request a session from the API.

        :raises Refused: the API refuses it or is down, or its response is
            invalid
        """
        body = {
            "session": {
                **wanted,
                "gateway_id": self._worker.id,
                "gateway": self._worker.name,
                "client_address": client.address,
                "proxy_address": client.proxy_address,
            }
        }
        response = await self._post(body)
        if _is_unknown_gateway(response):
            await self._heartbeats.register()
            response = await self._post(body)
        if response.status != 201:
            raise answers.refusal(response)
        try:
            return answers.grant(response, has_secret=has_secret)
        except ValueError as error:
            LOG.error(  # noqa: TRY400 (a trace would add nothing)
                "Cannot open a session: the API's response is invalid: %s",
                error,
            )
            self._count_failure(may_be_open=True)
            raise answers.unavailable() from None

    async def _post(self, body: Mapping[str, Any]) -> Response:
        """Send a request for a session.

        :raises Refused: there is no response
        """
        try:
            async with asyncio.timeout(self._client.timeout), self._slots:
                response = await self._client.request(
                    "POST", "/os-console-sessions", body
                )
        except TimeoutError:
            # Most requests for sessions wait for others.
            self._count_failure(may_be_open=True)
            raise answers.unavailable() from None
        except RequestFailed as error:
            # Heartbeats that fail are logged already.
            level = logging.DEBUG if self.trouble else logging.WARNING
            LOG.log(level, "Cannot open a session at the API: %s", error)
            self._count_failure(may_be_open=error.was_sent)
            raise answers.unavailable() from None
        except asyncio.CancelledError:
            self._count_failure(may_be_open=True)
            raise
        if response.status >= 500:
            self._count_failure(may_be_open=True)
        return response

    def _count_failure(self, *, may_be_open: bool) -> None:
        """Count a failed request.

        :param may_be_open: the API may have opened a session that does not
            exist here
        """
        self._statistics.failed_requests += 1
        if may_be_open:
            self._heartbeats.expect_orphans()


def _is_unknown_gateway(response: Response) -> bool:
    return (
        response.status == 409
        and answers.fault(response).get("reason") == "unknown_gateway"
    )
