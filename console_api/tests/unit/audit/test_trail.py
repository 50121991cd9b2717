# SPDX-License-Identifier: Apache-2.0
import threading
import unittest
import uuid
from typing import Any
from unittest import mock

from console_api import errors
from console_api.audit import cadf
from console_api.audit.events import Event, Kind
from console_api.audit.trail import AuditTrail
from console_api.tests.unit import base
from console_api.tests.waiting import TIMEOUT, wait_until

USER = "33333333333343338333333333333333"
SERVER = "22222222-2222-4222-8222-222222222222"

CLOSED = Event(
    Kind.CLOSE,
    user_id=USER,
    project_id="a-project",
    server_id=SERVER,
    client_address="192.0.2.7",
    proxy_address="192.0.2.8",
    reason="client_closed",
    details={"session_id": "s-1", "bytes_in": 3, "duration": 1.5},
)


class EventTest(unittest.TestCase):
    def test_line_has_all_values(self) -> None:
        self.assertEqual(
            f"Closed a session: user_id={USER}, project_id=a-project, "
            f"server_id={SERVER}, client_address=192.0.2.7, "
            "proxy_address=192.0.2.8, reason=client_closed, session_id=s-1, "
            "bytes_in=3, duration=1.5",
            CLOSED.line(),
        )

    def test_line_leaves_out_what_is_unknown(self) -> None:
        event = Event(Kind.REFUSE, reason="invalid_token")
        self.assertEqual(
            "Refused a session: reason=invalid_token", event.line()
        )


class CadfTest(unittest.TestCase):
    def test_document_is_valid(self) -> None:
        document = cadf.render(CLOSED, "gateway-1")
        self.assertEqual("stop/console_session", document["action"])
        self.assertEqual("success", document["outcome"])
        self.assertEqual(USER, document["initiator"]["id"])
        self.assertEqual("192.0.2.7", document["initiator"]["host"]["address"])
        self.assertEqual(SERVER, document["target"]["id"])
        self.assertEqual("gateway-1", document["observer"]["name"])
        self.assertEqual("client_closed", document["reason"]["reasonCode"])
        [attachment] = document["attachments"]
        self.assertEqual(CLOSED.values(), attachment["content"])

    def test_user_whose_id_is_no_uuid_is_named(self) -> None:
        user = Event(Kind.CLOSE, user_id="f00d" * 16)
        initiator = cadf.render(user, "gateway-1")["initiator"]
        uuid.UUID(initiator["id"])
        self.assertEqual("f00d" * 16, initiator["name"])

    def test_refusal_of_unknown_token_is_failure(self) -> None:
        document = cadf.render(Event(Kind.REFUSE), "gateway-1")
        self.assertEqual("failure", document["outcome"])
        self.assertEqual(str(uuid.UUID(int=0)), document["initiator"]["id"])

    def test_every_action_is_in_the_taxonomy(self) -> None:
        for kind in Kind:
            with self.subTest(kind):
                self.assertTrue(cadf.render(Event(kind), "x")["action"])


class AuditTrailTest(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.sent: list[tuple[str, Any]] = []
        self.is_sending = threading.Event()
        self.may_send = threading.Event()
        self.addCleanup(self.may_send.set)

    def send(self, event_type: str, document: dict[str, Any]) -> None:
        self.is_sending.set()
        self.may_send.wait(TIMEOUT)
        self.sent.append((event_type, document))

    def trail(self, max_pending: int = 10) -> AuditTrail:
        return AuditTrail("gateway-1", self.send, cadf.render, max_pending)

    def test_event_is_logged_and_sent(self) -> None:
        self.may_send.set()
        trail = self.trail()
        with self.assertLogs("console_api.audit.trail", "INFO") as logged:
            trail.record(CLOSED)
        self.assertEqual([CLOSED.line()], [r.message for r in logged.records])
        trail.close(TIMEOUT)
        [(event_type, document)] = self.sent
        self.assertEqual("console.session.close", event_type)
        self.assertEqual(SERVER, document["target"]["id"])

    def test_without_bus_events_are_logged(self) -> None:
        trail = AuditTrail.from_conf(base.load_conf(self.folder), "gateway-1")
        with self.assertLogs("console_api.audit.trail", "INFO"):
            trail.record(CLOSED)
        trail.close(TIMEOUT)

    def test_bus_that_is_down_does_not_block(self) -> None:
        trail = self.trail(max_pending=2)
        with self.assertLogs("console_api.audit.trail", "ERROR") as logged:
            trail.record(CLOSED)
            # From now on, the thread makes no room in the queue.
            self.assertTrue(self.is_sending.wait(TIMEOUT))
            for _ in range(9):
                trail.record(CLOSED)
        self.assertEqual(1, len(logged.records))
        trail.close(0)
        self.may_send.set()
        wait_until(lambda: len(self.sent) == 3)

    def test_failure_does_not_end_the_thread(self) -> None:
        self.may_send.set()
        failing = mock.Mock(side_effect=[RuntimeError, None])
        trail = AuditTrail("gateway-1", failing, cadf.render, 10)
        trail.record(CLOSED)
        trail.record(CLOSED)
        trail.close(TIMEOUT)
        self.assertEqual(2, failing.call_count)

    def test_invalid_url_is_configuration_error(self) -> None:
        conf = base.load_conf(
            self.folder,
            {"audit": {"transport_url": "nonsense://user:secret@host/"}},
        )
        with self.assertRaises(errors.ConfigurationError) as caught:
            AuditTrail.from_conf(conf)
        self.assertNotIn("secret", str(caught.exception))
