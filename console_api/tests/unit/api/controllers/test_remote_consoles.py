# SPDX-License-Identifier: Apache-2.0
import json

from console_api import errors
from console_api.api.controllers import remote_consoles
from console_api.db import tables
from console_api.tests.unit.api.controllers.base import ControllerCase
from console_api.tests.unit.base import PROJECT, server_id

VNC = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
LEGACY_VNC = {"os-getVNCConsole": {"type": "novnc"}}

# Each operation with a body that it accepts.
OPERATIONS = (
    (remote_consoles.create, VNC),
    (remote_consoles.action, LEGACY_VNC),
)


class RemoteConsolesTest(ControllerCase):
    def test_create_repeats_request_and_adds_url(self) -> None:
        reply = remote_consoles.create(self.request(body=VNC))
        document = json.loads(reply.body)
        url = document["remote_console"].pop("url")
        self.assertEqual((200, VNC), (reply.status, document))
        self.assertTrue(url.startswith("http://127.0.0.1:6080/"), url)

    def test_action_returns_type_and_url(self) -> None:
        for name, kind, start in (
            ("os-getVNCConsole", "novnc", "http://127.0.0.1:6080/"),
            ("os-getVNCConsole", "xvpvnc", "http://127.0.0.1:6081/"),
            ("os-getSPICEConsole", "spice-html5", "http://127.0.0.1:6082/"),
            ("os-getRDPConsole", "rdp-html5", "http://127.0.0.1:6083/"),
        ):
            with self.subTest(kind):
                reply = remote_consoles.action(
                    self.request(body={name: {"type": kind}})
                )
                self.assertEqual(200, reply.status)
                console = json.loads(reply.body)["console"]
                self.assertEqual({"type", "url"}, set(console))
                self.assertEqual(kind, console["type"])
                self.assertTrue(console["url"].startswith(start))

    def test_create_stores_user(self) -> None:
        remote_consoles.create(self.request(body=VNC))
        [row] = self.rows(tables.console_auth_tokens)
        self.assertEqual("a-user", row.user_id)

    def test_server_without_compute_host_is_not_ready(self) -> None:
        server = self.add_server(server_id(2), compute_host=None)
        for operation, body in OPERATIONS:
            with (
                self.subTest(operation.__name__),
                self.assertRaises(errors.ServerNotReady),
            ):
                operation(self.request(server, body=body))
        self.assertEqual([], self.rows(tables.console_auth_tokens))


class AuditTest(ControllerCase):
    def test_issued_tokens_are_recorded_without_the_token(self) -> None:
        for perform, body in OPERATIONS:
            with (
                self.subTest(perform.__name__),
                self.assertLogs("console_api.audit.trail", "INFO") as logs,
            ):
                reply = perform(self.request(body=body))
                [line] = logs.output
                self.assertIn("Issued a console auth token", line)
                for value in ("a-user", PROJECT, self.server.uuid, "novnc"):
                    self.assertIn(value, line)
                token = reply.body.decode().rpartition("token%3D")[2][:43]
                self.assertNotIn(token, line)

    def test_revocation_is_recorded(self) -> None:
        with self.assertLogs("console_api.audit.trail", "INFO") as logs:
            remote_consoles.delete(self.request())
        [line] = logs.output
        self.assertRegex(line, f"Cut a session.*{self.server.uuid}.*revoked")
