# SPDX-License-Identifier: Apache-2.0
"""Sessions without sockets, for tests of observers."""

from typing import Any, cast

from console_api.gateway.brokers.base import Client, Grant, Traffic
from console_api.gateway.session import Session

CLIENT = Client("192.0.2.7", "192.0.2.8")

GRANT = Grant(
    session_id="11111111-1111-4111-8111-111111111111",
    console_type="novnc",
    server_id="22222222-2222-4222-8222-222222222222",
    project_id="a-project",
    user_id="a-user",
    compute_host="compute-1",
    host="192.0.2.1",
    port=5900,
    tls_port=None,
    internal_access_path=None,
    view_only=False,
    exclusive=False,
    max_duration=0,
    idle_timeout=0,
    resume_timeout=120,
    secret="resume-secret-0123456789",
)


class RecordedSession:
    """What observers read of a session."""

    def __init__(self, grant: Grant = GRANT) -> None:
        self.grant = grant
        self.client = CLIENT
        self.duration = 12.5
        self.traffic = Traffic(0, 0, 0)


def recorded(bytes_in: int = 0, bytes_out: int = 0, **values: Any) -> Session:
    """Return a session with traffic."""
    session = RecordedSession(**values)
    session.traffic = Traffic(bytes_in, bytes_out, 0)
    return cast("Session", session)
