# SPDX-License-Identifier: Apache-2.0
"""A limit of refused tokens in front of any broker."""

import contextlib
from collections.abc import Iterator, Sequence

from console_api.gateway.attempts import Attempts
from console_api.gateway.brokers.base import (
    Broker,
    BrokerStatistics,
    Client,
    Credential,
    Grant,
    OpenSession,
    Refused,
)
from console_api.gateway.close_reasons import CloseReason

# Refusals that count as attempts to guess a token.
_GUESSES = {CloseReason.INVALID_TOKEN, CloseReason.TOKEN_USED}


class GuardedBroker(Broker):
    """Refuses addresses that sent too many invalid tokens."""

    def __init__(self, broker: Broker, attempts: Attempts) -> None:
        """Guard a broker."""
        self._broker = broker
        self._attempts = attempts

    async def exchange(self, credential: Credential, client: Client) -> Grant:
        """Exchange a token for a secret.

        :raises Refused: the token or the address is refused
        """
        with self._attempt(client):
            return await self._broker.exchange(credential, client)

    async def open(self, credential: Credential, client: Client) -> Grant:
        """Open a session.

        :raises Refused: the credential or the address is refused
        """
        with self._attempt(client):
            return await self._broker.open(credential, client)

    def opened(self, session: OpenSession) -> None:
        """Report and cut a session from now on, until ``closed``."""
        self._broker.opened(session)

    def closed(self, session: OpenSession, reason: CloseReason) -> None:
        """Record that an ``opened`` session has ended."""
        self._broker.closed(session, reason)

    def abandoned(self, grant: Grant, reason: CloseReason) -> None:
        """Record that a granted session never became an ``opened`` one."""
        self._broker.abandoned(grant, reason)

    @property
    def statistics(self) -> BrokerStatistics:
        """What the broker counted until now."""
        return self._broker.statistics

    @property
    def sessions(self) -> Sequence[OpenSession]:
        """The sessions that are open."""
        return self._broker.sessions

    @property
    def trouble(self) -> str | None:
        """Why no session can be opened now."""
        return self._broker.trouble

    async def run(self) -> None:
        """Report sessions, and cut those that have to be."""
        await self._broker.run()

    async def finish(self, timeout: float) -> None:  # noqa: ASYNC109 (part of the contract)
        """Send what is still to be reported."""
        await self._broker.finish(timeout)

    @contextlib.contextmanager
    def _attempt(self, client: Client) -> Iterator[None]:
        """Count an attempt of a client, and whether it is refused.

        :raises Refused: the client has made too many
        """
        retry_after = self._attempts.retry_after(client.address)
        if retry_after is not None:
            raise Refused(
                CloseReason.LIMIT_REACHED,
                "Too many invalid tokens were sent from this address. Try "
                "again later.",
                label="attempt_limit",
                retry_after=retry_after,
            )
        with self._attempts.pending(client.address):
            try:
                yield
            except Refused as refusal:
                if refusal.reason in _GUESSES:
                    self._attempts.record(client.address)
                raise
