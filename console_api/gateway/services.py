# SPDX-License-Identifier: Apache-2.0
"""What the sessions of a worker share."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from oslo_config import cfg

from console_api.gateway.brokers.base import Broker
from console_api.gateway.buffers import ReadBuffer
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.displays import Displays
from console_api.gateway.observers import Observer
from console_api.gateway.session import Session
from console_api.gateway.spice_channels import SpiceSessions
from console_api.gateway.spice_workers import SpiceWorkers
from console_api.net.pending_handshakes import PendingHandshakes

# How many connections of SPICE may wait for their first message.
_MAX_LINKING = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of ``[gateway]``; times are in seconds, sizes in bytes."""

    max_sessions: int = 4000
    max_message_size: int = 2**20
    ping_interval: int = 25
    handshake_timeout: int = 10
    is_view_only: bool = False

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Read the options."""
        options = conf.gateway
        return cls(
            options.max_sessions,
            options.max_message_size,
            options.ping_interval,
            options.handshake_timeout,
            options.view_only,
        )


@dataclass(slots=True)
class Services:
    """What opens sessions, and the sessions that are open.

    ``sessions`` are those that the broker knows, ``channels`` those of
    additional channels of SPICE; ``opening`` counts those that may become
    one, and ``linking`` are connections of SPICE before their first message.
    """

    broker: Broker
    displays: Displays
    observers: Sequence[Observer]
    spice: SpiceSessions
    spice_workers: SpiceWorkers
    settings: Settings
    buffer: ReadBuffer = field(default_factory=ReadBuffer)
    sessions: set[Session] = field(default_factory=set)
    channels: set[Session] = field(default_factory=set)
    opening: int = 0
    linking: PendingHandshakes = field(
        default_factory=lambda: PendingHandshakes(_MAX_LINKING)
    )
    is_draining: bool = False

    def end(self, session: Session, reason: CloseReason) -> None:
        """Record that a session has ended."""
        self.sessions.discard(session)
        self.broker.closed(session, reason)
        for observer in self.observers:
            observer.closed(session, reason)
