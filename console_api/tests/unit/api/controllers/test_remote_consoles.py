# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

from console_api import errors
from console_api.api.controllers import remote_consoles
from console_api.db import tables
from console_api.tests.unit.api.controllers.base import ControllerCase
from console_api.tests.unit.base import (
    OTHER_PROJECT,
    PROJECT,
    UNKNOWN_SERVER,
    server_id,
)

VNC = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
LEGACY_VNC = {"os-getVNCConsole": {"type": "novnc"}}

# Each operation with a body that it takes.
OPERATIONS = (
    (remote_consoles.create, VNC),
    (remote_consoles.action, LEGACY_VNC),
)


class RemoteConsolesTest(ControllerCase):
    def test_the_reply_repeats_what_was_asked_for_with_the_url(self) -> None:
        reply = remote_consoles.create(self.request(body=VNC))
        document = json.loads(reply.body)
        url = document["remote_console"].pop("url")
        self.assertEqual((200, VNC), (reply.status, document))
        self.assertTrue(url.startswith("http://127.0.0.1:6080/"), url)

    def test_the_legacy_reply_has_type_and_url(self) -> None:
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

    def test_who_asked_is_stored(self) -> None:
        remote_consoles.create(self.request(body=VNC))
        [row] = self.rows(tables.console_auth_tokens)
        self.assertEqual("a-user", row.user_id)

    def assertRaisesForBoth(
        self, error: type[Exception], *args: Any, **request: Any
    ) -> None:
        for operation, body in OPERATIONS:
            with (
                self.subTest(operation.__name__, **request),
                self.assertRaises(error),
            ):
                operation(self.request(*args, body=body, **request))
        self.assertEqual([], self.rows(tables.console_auth_tokens))

    def test_an_unknown_server_is_told_before_a_missing_role(self) -> None:
        for role in ("admin", "member", "other"):
            self.assertRaisesForBoth(
                errors.ServerNotFound, role, server_id=UNKNOWN_SERVER
            )
            if role != "admin":
                self.assertRaisesForBoth(
                    errors.ServerNotFound, role, OTHER_PROJECT
                )

    def test_without_the_role_it_is_refused(self) -> None:
        for role in ("reader", "service", "other"):
            self.assertRaisesForBoth(errors.Forbidden, role, PROJECT)

    def test_a_server_that_is_not_placed_yet_is_not_ready(self) -> None:
        server = self.add_server(server_id(2), compute_host=None)
        self.assertRaisesForBoth(errors.ServerNotReady, server_id=server.uuid)
