# SPDX-License-Identifier: Apache-2.0
"""The contract of brokers, which decide who may open a session."""

import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from console_api.gateway.close_reasons import CloseReason


@dataclass(frozen=True, slots=True)
class Client:
    """Where a viewer connects from.

    ``address`` is that of the viewer, which a trusted proxy may have
    reported; ``proxy_address`` is that of the proxy, if there is one.
    """

    address: str
    proxy_address: str | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """What a viewer shows to open a session: a token or a secret.

    ``secret`` is what ``Grant.secret`` was when the token was exchanged.
    ``console_type`` is what the viewer is for, as far as its request shows
    that: a hint for brokers that do not know the type of a token.
    """

    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    console_type: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """A session that may be opened, and where it leads.

    Durations are in seconds; 0 means no limit for ``idle_timeout`` and
    ``max_duration``, which counts from now.  Within ``resume_timeout`` after
    the connection was lost, ``secret`` opens the session again.  It is empty
    in a grant to a secret.  What a broker does not know is None.
    """

    session_id: str
    console_type: str
    server_id: str
    project_id: str | None
    user_id: str | None
    compute_host: str | None
    host: str
    port: int
    tls_port: int | None
    internal_access_path: str | None
    view_only: bool
    exclusive: bool
    max_duration: int
    idle_timeout: int
    resume_timeout: int
    secret: str = field(default="", repr=False)


class Refused(Exception):
    """The broker refuses a session; the message is for the user.

    :param message: by default, that of the reason
    :param label: the cause in metrics and the audit trail, such as
        ``user_limit``
    :param retry_after: seconds until a retry may succeed, None if it cannot
    """

    def __init__(
        self,
        reason: CloseReason,
        message: str = "",
        *,
        label: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Create the refusal."""
        super().__init__(message or reason.text)
        self.reason = reason
        self.label = label or reason.label
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a session transferred: bytes from and to the viewer.

    ``idle_seconds`` is the time since the last of them.
    """

    bytes_in: int
    bytes_out: int
    idle_seconds: float


@dataclass(slots=True)
class BrokerStatistics:
    """What a broker counted since it was created.

    ``pending_reports`` is the number of ended sessions that the API has not
    recorded yet.
    """

    failed_requests: int = 0
    failed_heartbeats: int = 0
    pending_reports: int = 0


class OpenSession(Protocol):
    """A session that is connected, as brokers see it."""

    grant: Grant

    @property
    def traffic(self) -> Traffic:
        """What it transferred until now."""

    def cut(self, reason: CloseReason) -> None:
        """Close it; does nothing if it is being closed already."""


class Broker(abc.ABC):
    """Decides who may open sessions, and is told what becomes of them."""

    @property
    def statistics(self) -> BrokerStatistics:
        """What it counted until now; nothing, unless it overrides this."""
        return BrokerStatistics()

    @abc.abstractmethod
    async def exchange(self, credential: Credential, client: Client) -> Grant:
        """Exchange a token for a secret, for a page that will connect.

        :param credential: a token

        :raises Refused: the token does not allow it
        """

    @abc.abstractmethod
    async def open(self, credential: Credential, client: Client) -> Grant:
        """Open a session for a viewer that is connected.

        :raises Refused: the credential does not allow it
        """

    @abc.abstractmethod
    def opened(self, session: OpenSession) -> None:
        """Report and cut a session from now on, until ``closed``."""

    @abc.abstractmethod
    def closed(self, session: OpenSession, reason: CloseReason) -> None:
        """Record that an ``opened`` session has ended; never waits."""

    @abc.abstractmethod
    def abandoned(self, grant: Grant, reason: CloseReason) -> None:
        """Record that a granted session never became an ``opened`` one."""

    @property
    @abc.abstractmethod
    def sessions(self) -> Sequence[OpenSession]:
        """The sessions that are open."""

    @property
    @abc.abstractmethod
    def trouble(self) -> str | None:
        """Why no session can be opened now, a sentence; None if it can."""

    @abc.abstractmethod
    async def run(self) -> None:
        """Report sessions, and cut those that have to be, until cancelled."""

    @abc.abstractmethod
    async def finish(self, timeout: float) -> None:  # noqa: ASYNC109 (part of the contract)
        """Send what is still to be reported.

        :param timeout: in seconds
        """
