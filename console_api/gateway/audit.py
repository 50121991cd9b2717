# SPDX-License-Identifier: Apache-2.0
"""Audit events of a gateway: sessions that it opens, refuses and closes."""

import logging
from dataclasses import replace
from typing import Self

from oslo_config import cfg

from console_api.audit.events import Event, Kind
from console_api.audit.trail import AuditTrail
from console_api.gateway.brokers.base import Client, Grant, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.session import Session

LOG = logging.getLogger(__name__)

# The refusal of an address that guesses tokens: its guesses are recorded, but
# what follows would fill the trail.
_FLOOD = "attempt_limit"


class Audit:
    """Records what becomes of sessions; an observer."""

    def __init__(self, trail: AuditTrail) -> None:
        """Record in a trail."""
        self._trail = trail

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Create it from the options.

        :raises ConfigurationError: an option is invalid, or a package is
            missing
        """
        return cls(AuditTrail.from_conf(conf, conf.gateway.name))

    def opened(self, session: Session, dial_seconds: float) -> None:
        """Record a session that was opened."""
        self._record(
            Kind.OPEN,
            session.client,
            session.grant,
            dial_seconds=round(dial_seconds, 3),
        )

    def refused(
        self, client: Client, refusal: Refused, grant: Grant | None
    ) -> None:
        """Record a session that was refused."""
        if refusal.label == _FLOOD:
            LOG.debug("Refused %s: too many attempts", client.address)
            return
        self._record(Kind.REFUSE, client, grant, refusal.label)

    def closed(self, session: Session, reason: CloseReason) -> None:
        """Record that an opened session ended."""
        traffic = session.traffic
        self._record(
            Kind.CLOSE,
            session.client,
            session.grant,
            reason.label,
            bytes_in=traffic.bytes_in,
            bytes_out=traffic.bytes_out,
            duration=round(session.duration, 1),
        )

    def close(self, timeout: float) -> None:
        """Send what is pending, as far as possible in time.

        :param timeout: in seconds
        """
        self._trail.close(timeout)

    def _record(
        self,
        kind: Kind,
        client: Client,
        grant: Grant | None,
        reason: str | None = None,
        **details: object,
    ) -> None:
        event = Event(
            kind,
            client_address=client.address,
            proxy_address=client.proxy_address,
            reason=reason,
            details=details,
        )
        if grant is not None:
            event = replace(
                event,
                user_id=grant.user_id,
                project_id=grant.project_id,
                server_id=grant.server_id,
                details={
                    "session_id": grant.session_id,
                    "console_type": grant.console_type,
                    "view_only": grant.view_only,
                    **details,
                },
            )
        self._trail.record(event)
