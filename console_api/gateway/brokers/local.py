# SPDX-License-Identifier: Apache-2.0
"""The broker beside a plain Nova, which decides with Nova's tokens alone."""

import asyncio
import contextlib
import logging
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from oslo_config import cfg

from console_api.conf import nova as nova_options
from console_api.gateway.brokers import answers
from console_api.gateway.brokers.base import (
    Broker,
    BrokerStatistics,
    Client,
    Credential,
    Grant,
    OpenSession,
    Refused,
)
from console_api.gateway.brokers.counts import SessionCounts
from console_api.gateway.brokers.nova import Display, NotFound, Nova, Server
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.service_client import RequestFailed, ServiceClient

LOG = logging.getLogger(__name__)

# Seconds between checks whether Nova responds.
_CHECK_INTERVAL = 30

# A token that Nova does not know.
_UNKNOWN_TOKEN = str(uuid.UUID(int=0))

# Protocols by the console types that the page shows.
_PROTOCOLS = {"novnc": "vnc", "serial": "serial", "spice-html5": "spice"}

# Nova's tokens are UUIDs.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,255}")

# Separates the console type from the token in a secret.
_SEPARATOR = "."


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a worker; times are in seconds, 0 means no limit."""

    per_token: int
    per_server: int
    max_duration: int
    idle_timeout: int
    resume_timeout: int


class LocalBroker(Broker):
    """Looks tokens up at Nova; counts the sessions of this worker only.

    A secret is the console type and the token, which stays valid until it
    expires, as in Nova.
    """

    def __init__(
        self,
        nova: Nova,
        limits: Limits,
        console_type: str,
        *,
        checks_displays: bool,
    ) -> None:
        """Prepare; sends nothing yet.

        :param console_type: of tokens whose type nothing shows
        :param checks_displays: whether to ask Nova where the display of the
            server is now
        """
        self._nova = nova
        self._limits = limits
        self._console_type = console_type
        self._checks_displays = checks_displays
        self._statistics = BrokerStatistics()
        self._sessions: dict[str, OpenSession] = {}
        self._counts = SessionCounts(
            token=limits.per_token, server=limits.per_server
        )
        self._trouble: str | None = "Nova has not answered yet."

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Create the broker from the options.

        :raises ConfigurationError: an option is invalid
        """
        options = conf.gateway
        return cls(
            Nova(
                ServiceClient(conf, nova_options.GROUP, nova_options.register)
            ),
            Limits(
                options.local_max_sessions_per_token,
                options.local_max_sessions_per_server,
                options.local_max_duration,
                options.local_idle_timeout,
                conf.sessions.resume_timeout,
            ),
            options.local_console_type,
            checks_displays=options.local_check_displays,
        )

    @property
    def statistics(self) -> BrokerStatistics:
        """What it counted until now."""
        return self._statistics

    @property
    def sessions(self) -> Sequence[OpenSession]:
        """The sessions that are open."""
        return [*self._sessions.values()]

    @property
    def trouble(self) -> str | None:
        """Why no session can be opened now, a sentence; None if it can."""
        return self._trouble

    async def exchange(
        self,
        credential: Credential,
        client: Client,  # noqa: ARG002 (part of the contract)
    ) -> Grant:
        """Return a secret that contains the token.

        :raises Refused: the token is not valid, or Nova does not respond
        """
        return await self._grant(credential)

    async def open(
        self,
        credential: Credential,
        client: Client,  # noqa: ARG002 (part of the contract)
    ) -> Grant:
        """Open a session for a viewer that is connected.

        :raises Refused: the token is not valid, a limit is reached, or Nova
            does not respond
        """
        grant = await self._grant(credential)
        token, _ = _decode(credential)
        self._counts.add(grant.session_id, token=token, server=grant.server_id)
        return grant

    def opened(self, session: OpenSession) -> None:
        """Count a session until ``closed``."""
        self._sessions[session.grant.session_id] = session

    def closed(self, session: OpenSession, reason: CloseReason) -> None:
        """Count a session no longer."""
        self._sessions.pop(session.grant.session_id, None)
        self.abandoned(session.grant, reason)

    def abandoned(
        self,
        grant: Grant,
        reason: CloseReason,  # noqa: ARG002 (part of the contract)
    ) -> None:
        """Count a granted session no longer."""
        self._counts.remove(grant.session_id)

    async def run(self) -> None:
        """Check whether Nova responds, until cancelled."""
        while True:
            with contextlib.suppress(Refused, NotFound), self._requests():
                await self._nova.display(_UNKNOWN_TOKEN)
            await asyncio.sleep(_CHECK_INTERVAL)

    async def finish(self, timeout: float) -> None:  # noqa: ARG002, ASYNC109 (part of the contract)
        """Close all connections; there is nothing to report."""
        await self._nova.close()

    async def _grant(self, credential: Credential) -> Grant:
        token, hint = _decode(credential)
        if not _TOKEN.fullmatch(token):
            # Another one might be another path: `..` is that of Nova itself,
            # whose answer would look like a fault of Nova.
            raise Refused(CloseReason.INVALID_TOKEN)
        try:
            with self._requests():
                display = await self._nova.display(token)
                server = await self._nova.server(display.server_id)
                console_type = await self._find_type(
                    display, hint or self._console_type
                )
        except NotFound:
            raise Refused(CloseReason.INVALID_TOKEN) from None
        return self._make_grant(token, display, server, console_type)

    def _make_grant(
        self, token: str, display: Display, server: Server, console_type: str
    ) -> Grant:
        limits = self._limits
        return Grant(
            session_id=str(uuid.uuid4()),
            console_type=console_type,
            server_id=display.server_id,
            project_id=server.project_id,
            user_id=None,
            compute_host=server.compute_host,
            host=display.host,
            port=display.port,
            tls_port=None,
            internal_access_path=display.internal_access_path,
            view_only=False,
            exclusive=False,
            max_duration=limits.max_duration,
            idle_timeout=limits.idle_timeout,
            resume_timeout=limits.resume_timeout,
            secret=f"{console_type}{_SEPARATOR}{token}",
        )

    async def _find_type(self, display: Display, likely: str) -> str:
        """Return the type of a display that belongs to its server now.

        The token may lead to a port that another server has been given since
        then, as in CVE-2013-0335.

        :param likely: the type to try first
        :raises NotFound: the display belongs to the server no longer
        :raises RequestFailed: Nova does not respond for a type, and the
            display is of no other type
        """
        if not self._checks_displays:
            return likely
        others = [type_ for type_ in _PROTOCOLS if type_ != likely]
        failure: Exception = NotFound()
        for console_type in (likely, *others):
            try:
                current = await self._nova.current_display(
                    display.server_id, _PROTOCOLS[console_type], console_type
                )
            except NotFound:
                continue
            except RequestFailed as error:
                # Some compute services fail for types that they lack.
                failure = error
                continue
            if current == display:
                return console_type
        LOG.warning(
            "Refused a token: Nova does not confirm that its display belongs "
            "to server %s.",
            display.server_id,
        )
        raise failure

    @contextlib.contextmanager
    def _requests(self) -> Iterator[None]:
        """Note whether Nova responds to requests.

        :raises Refused: it does not
        """
        try:
            yield
        except NotFound:
            self._trouble = None
            raise
        except RequestFailed as error:
            self._statistics.failed_requests += 1
            # Once, until Nova responds again.
            level = logging.DEBUG if self._trouble else logging.WARNING
            LOG.log(level, "Cannot look up tokens in Nova: %s", error)
            self._trouble = f"Tokens cannot be looked up in Nova: {error}."
            raise answers.unavailable() from None
        self._trouble = None


def _decode(credential: Credential) -> tuple[str, str | None]:
    """Return the token in a credential, and the console type if known."""
    if credential.secret is None:
        return credential.token or "", credential.console_type
    console_type, separator, token = credential.secret.partition(_SEPARATOR)
    if not separator or console_type not in _PROTOCOLS:
        return "", None
    return token, console_type
