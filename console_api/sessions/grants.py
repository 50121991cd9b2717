# SPDX-License-Identifier: Apache-2.0
"""What sessions are opened with, and what their gateways get."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from console_api import values
from console_api.db.session_origins import Origin


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Limits of sessions; durations in seconds, where 0 means no limit.

    ``maxima`` are the maximum numbers of open sessions per ``token``,
    ``user``, ``server``, ``project`` and ``gateway``.
    """

    is_single_use: bool
    max_duration: int
    idle_timeout: int
    resume_timeout: int
    maxima: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who connects to which gateway; see ``gateway.brokers.base.Client``."""

    gateway_id: str
    gateway: str
    client_address: str
    proxy_address: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A session that a gateway may connect to its display.

    ``secret`` resumes it; None if it is the one that the caller has sent.
    ``max_duration`` is the time that is left.
    """

    id: str
    secret: str | None = field(repr=False)
    origin: Origin
    max_duration: int
    idle_timeout: int
    resume_timeout: int

    @property
    def protocol(self) -> str:
        """The protocol of the display."""
        return next(
            protocol
            for protocol, types in values.CONSOLE_TYPES_BY_PROTOCOL.items()
            if self.origin.console_type in types
        )
