# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

from console_api import errors
from console_api.api.controllers import console_auth_tokens
from console_api.tests.unit.api.controllers.base import ControllerCase
from console_api.tokens.manager import ConnectionInfo

MINOR_VERSIONS = (1, 30, 31, 98, 99, 104)


class ShowTest(ControllerCase):
    def show(self, console_type: str, minor: int) -> dict[str, Any]:
        info = ConnectionInfo(
            server_id=self.server.uuid,
            project_id=self.server.project_id,
            console_type=console_type,
            host="192.0.2.10",
            port=5901,
            tls_port=5902,
            internal_access_path="/p",
        )
        reply = console_auth_tokens.show(
            self.request(info, version=(2, minor))
        )
        self.assertEqual(200, reply.status)
        console: dict[str, Any] = json.loads(reply.body)["console"]
        return console

    def test_show_renders_connection_info(self) -> None:
        self.assertEqual(
            {
                "instance_uuid": self.server.uuid,
                "host": "192.0.2.10",
                "port": 5901,
                "internal_access_path": "/p",
            },
            self.show("rdp-html5", 1),
        )

    def test_show_before_2_31_accepts_only_rdp_html5(self) -> None:
        for console_type in ("rdp-html5", "novnc", "spice-html5"):
            for minor in MINOR_VERSIONS:
                with self.subTest(console_type, minor=minor):
                    if console_type == "rdp-html5" or minor >= 31:
                        self.show(console_type, minor)
                    else:
                        with self.assertRaises(errors.TokenTypeNotAccessible):
                            self.show(console_type, minor)

    def test_show_from_2_99_adds_tls_port_of_spice_direct(self) -> None:
        for console_type in ("spice-direct", "spice-html5", "novnc"):
            for minor in MINOR_VERSIONS[2:]:
                with self.subTest(console_type, minor=minor):
                    expected = (
                        5902
                        if console_type == "spice-direct" and minor >= 99
                        else None
                    )
                    shown = self.show(console_type, minor)
                    self.assertEqual(expected, shown.get("tls_port"))
                    self.assertEqual(expected is not None, "tls_port" in shown)
