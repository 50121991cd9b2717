# SPDX-License-Identifier: Apache-2.0
"""Audit events of the API and the gateway, over a real RabbitMQ."""

from console_api.tests.functional import base
from console_api.tests.functional.rabbitmq import Bus
from console_api.tests.functional.test_gateway_life import LifeTestCase
from console_api.tests.waiting import TIMEOUT


@base.on_databases("sqlite")
class AuditTests(LifeTestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.received = self.enterContext(self.bus.listening())
        self.audit = {
            key: self.bus.options[key]
            for key in ("transport_url", "exchange", "topics")
        }
        self.gateway_options = {"audit": self.audit}
        super().setUp()

    def choose_server(self):
        """Start an API of the test's own, which sends events too."""
        return self.start_server({"audit": self.audit})

    def take(self, event_type):
        """Wait for the next event, and return what it contains."""
        message = self.received.get(timeout=TIMEOUT)
        self.assertEqual(event_type, message.event_type)
        return message.payload

    def test_life_of_a_session_is_sent_in_cadf(self):
        server_id = self.make_server(
            endpoints={
                "serial": {"host": "127.0.0.1", "port": self.display_port}
            }
        )
        token = self.issue_token(server_id, "serial", "serial")
        events = [self.take("console.token.issue")]
        stream = self.gateway.connect(f"/?token={token}")
        self.addCleanup(stream.close)
        self.assert_echoes(stream)
        events.append(self.take("console.session.open"))
        [session] = self.admin.get("/os-console-sessions").json["sessions"]
        self.admin.delete(f"/os-console-sessions/{session['id']}")
        events += [
            self.take("console.session.cut"),
            self.take("console.session.close"),
        ]
        for event in events:
            with self.subTest(event["action"]):
                self.assertEqual(server_id, event["target"]["id"])
                self.assertEqual("success", event["outcome"])
                self.assertEqual(
                    "127.0.0.1", event["initiator"]["host"]["address"]
                )
        [attached] = events[-1]["attachments"]
        self.assertEqual("cut", attached["content"]["reason"])
        self.assertEqual(5, attached["content"]["bytes_in"])
        self.assertNotIn(token, str(events))

    def test_refusal_is_sent_without_the_token(self):
        self.assertEqual(404, self.gateway.exchange("a-guess").status)
        event = self.take("console.session.refuse")
        self.assertEqual("failure", event["outcome"])
        self.assertEqual("invalid_token", event["reason"]["reasonCode"])
        self.assertNotIn("a-guess", str(event))
