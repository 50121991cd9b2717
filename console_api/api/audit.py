# SPDX-License-Identifier: Apache-2.0
"""Audit events of the API: tokens that it issues, sessions that it cuts."""

from typing import Any

from console_api.api.request import Request
from console_api.audit.events import Event, Kind


def record(
    request: Request[Any],
    kind: Kind,
    *,
    project_id: str | None = None,
    server_id: str | None = None,
    reason: str | None = None,
    **details: object,
) -> None:
    """Record an event of a request that succeeded; never waits.

    :param project_id: of the server
    :param reason: why sessions are cut, as their gateways report it later
    :param details: without secrets
    """
    request.service.audit.record(
        Event(
            kind,
            user_id=request.context.user_id,
            project_id=project_id,
            server_id=server_id,
            client_address=request.remote_address,
            reason=reason,
            details=details,
        )
    )
