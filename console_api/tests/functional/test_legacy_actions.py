# SPDX-License-Identifier: Apache-2.0
"""The legacy actions of servers that create access URLs."""

from console_api.tests.functional import base
from console_api.tests.functional.remote_consoles import (
    RemoteConsoleTestCase,
)

# Action and console type.
ACTIONS = (
    ("os-getVNCConsole", "novnc"),
    ("os-getVNCConsole", "xvpvnc"),
    ("os-getSPICEConsole", "spice-html5"),
    ("os-getRDPConsole", "rdp-html5"),
    ("os-getSerialConsole", "serial"),
)


@base.on_each_database
class LegacyActionTests(RemoteConsoleTestCase):
    def test_actions_exist_up_to_2_5(self):
        def check(name, console_type):
            for version in (None, "2.1", "2.5"):
                reply = self.member.post(
                    self.action,
                    {name: {"type": console_type}},
                    version=version,
                )
                self.assertEqual(200, reply.status, reply.body)
                self.assert_version_headers(reply, version or "2.1")
                console = reply.json["console"]
                token = self.assert_url(console.pop("url"), console_type)
                self.assertEqual({"type": console_type}, console)
                self.assertEqual(console_type, self.stored(token).console_type)

        self.each(ACTIONS, check)

    def test_actions_from_2_6_return_404(self):
        for version in ("2.6", "2.104"):
            for name, console_type in ACTIONS:
                with self.subTest(name, version=version):
                    reply = self.member.post(
                        self.action,
                        {name: {"type": console_type}},
                        version=version,
                    )
                    self.assert_fault(reply, 404)
                    self.assertIn("from 2.1 to 2.5", reply.message)
                    self.assertIn("remote-consoles", reply.message)
                    self.assert_version_headers(reply, version)
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_unknown_action_is_named(self):
        for version in (None, "2.5", "2.6", "2.104"):
            for prefix in ("/v2.1", "/v2"):
                reply = self.member.post(
                    self.action,
                    {"os-stop": None},
                    version=version,
                    prefix=prefix,
                )
                self.assert_fault(
                    reply, 400, "There is no such action: os-stop"
                )

    def test_invalid_action_returns_400(self):
        vnc = {"os-getVNCConsole": {"type": "novnc"}}
        for body in (
            None,
            b"",
            b"null",
            {},
            [],
            "os-getVNCConsole",
            {"reboot": {"type": "HARD"}},
            {"os-getMKSConsole": {"type": "webmks"}},
            {"OS-GETVNCCONSOLE": {"type": "novnc"}},
            {**vnc, "reboot": None},
            {**vnc, "os-getSerialConsole": {"type": "serial"}},
            [vnc],
            {"os-getVNCConsole": None},
            {"os-getVNCConsole": "novnc"},
            {"os-getVNCConsole": {}},
            {"os-getVNCConsole": {"type": "novnc", "more": 1}},
            *(
                {"os-getVNCConsole": {"type": value}}
                for value in (
                    "",
                    "serial",
                    "NOVNC",
                    None,
                    1,
                    [],
                    {},
                    "x" * 999,
                )
            ),
            {"os-getSPICEConsole": {"type": "spice-direct"}},
            {"os-getSPICEConsole": {"type": "novnc"}},
            {"os-getRDPConsole": {"type": "rdp"}},
            {"os-getSerialConsole": {"type": "novnc"}},
        ):
            with self.subTest(str(body)[:80]):
                reply = self.member.post(self.action, body)
                self.assert_fault(reply, 400)
                if not isinstance(body, dict) or len(body) != 1:
                    self.assertIn("with one key, the name", reply.message)
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_missing_endpoint_returns_400(self):
        server_id = self.make_server(endpoints={})
        for name, console_type in ACTIONS:
            with self.subTest(name, type=console_type):
                reply = self.member.post(
                    f"/servers/{server_id}/action",
                    {name: {"type": console_type}},
                )
                message = f"Unavailable console type {console_type}."
                self.assert_fault(reply, 400, message)

    def test_headers_of_clients_are_accepted(self):
        """novaclient sends the legacy header only, Horizon an empty Accept."""
        for headers in (
            {"X-OpenStack-Nova-API-Version": "2.1", "Accept": ""},
            {"Accept": ""},
        ):
            reply = self.member.post(
                self.action,
                {"os-getVNCConsole": {"type": "novnc"}},
                headers=headers,
            )
            self.assertEqual(200, reply.status)
