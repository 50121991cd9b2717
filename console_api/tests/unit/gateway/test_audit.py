# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.audit.events import Event, Kind
from console_api.audit.trail import AuditTrail
from console_api.gateway.audit import Audit
from console_api.gateway.brokers.base import Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.tests.unit.gateway.recorded import CLIENT, GRANT, recorded


class Trail(AuditTrail):
    """Keeps events."""

    def __init__(self) -> None:
        super().__init__("gateway-1")
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)


class AuditTest(unittest.TestCase):
    def setUp(self) -> None:
        self.trail = Trail()
        self.audit = Audit(self.trail)

    def test_open_names_user_server_and_addresses(self) -> None:
        self.audit.opened(recorded(), 0.01234)
        [event] = self.trail.events
        self.assertIs(Kind.OPEN, event.kind)
        self.assertEqual(
            {
                "user_id": "a-user",
                "project_id": "a-project",
                "server_id": GRANT.server_id,
                "client_address": "192.0.2.7",
                "proxy_address": "192.0.2.8",
                "session_id": GRANT.session_id,
                "console_type": "novnc",
                "view_only": False,
                "dial_seconds": 0.012,
            },
            event.values(),
        )

    def test_close_has_reason_bytes_and_duration(self) -> None:
        self.audit.closed(recorded(3, 4), CloseReason.CUT)
        [event] = self.trail.events
        self.assertIs(Kind.CLOSE, event.kind)
        self.assertEqual("cut", event.reason)
        self.assertEqual(
            (3, 4, 12.5),
            tuple(
                event.details[name]
                for name in ("bytes_in", "bytes_out", "duration")
            ),
        )

    def test_refusal_without_grant_has_addresses(self) -> None:
        refusal = Refused(CloseReason.INVALID_TOKEN, "Not valid.")
        self.audit.refused(CLIENT, refusal, None)
        [event] = self.trail.events
        self.assertEqual(
            {
                "client_address": "192.0.2.7",
                "proxy_address": "192.0.2.8",
                "reason": "invalid_token",
            },
            event.values(),
        )

    def test_secret_is_in_no_event(self) -> None:
        refusal = Refused(CloseReason.DISPLAY_UNREACHABLE, "Failed.")
        self.audit.opened(recorded(), 0)
        self.audit.closed(recorded(), CloseReason.CUT)
        self.audit.refused(CLIENT, refusal, GRANT)
        self.assertTrue(GRANT.secret)
        self.assertNotIn(GRANT.secret, repr(self.trail.events))

    def test_flood_of_an_address_is_not_recorded(self) -> None:
        refusal = Refused(
            CloseReason.LIMIT_REACHED, "Too many.", label="attempt_limit"
        )
        self.audit.refused(CLIENT, refusal, None)
        self.assertEqual([], self.trail.events)
