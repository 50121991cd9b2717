# SPDX-License-Identifier: Apache-2.0
"""Microversions: negotiation and response headers."""

import uuid

from console_api.tests.functional import base

UNKNOWN = str(uuid.uuid4())


@base.on_each_database
class MicroversionTests(base.FunctionalTestCase):
    def list_consoles(self, standard=None, legacy=None):
        return self.member.get(
            f"/servers/{UNKNOWN}/consoles",
            headers={
                "OpenStack-API-Version": standard,
                "X-OpenStack-Nova-API-Version": legacy,
            },
        )

    def test_requested_microversion_is_in_force(self):
        def check(standard, legacy, version):
            reply = self.list_consoles(standard, legacy)
            self.assertEqual(200, reply.status, reply.body)
            self.assert_version_headers(reply, version)

        self.each(
            [
                (None, None, "2.1"),
                ("compute 2.1", None, "2.1"),
                ("compute 2.31", None, "2.31"),
                ("COMPUTE 2.31", None, "2.31"),
                ("Compute 2.104", None, "2.104"),
                ("compute latest", None, "2.104"),
                ("placement 1.30, compute 2.31", None, "2.31"),
                ("compute 2.31, volume 3.70", None, "2.31"),
                ("placement 1.30", None, "2.1"),
                ("placement 1.30", "2.31", "2.31"),
                (None, "2.31", "2.31"),
                (None, "latest", "2.104"),
                ("compute 2.40", "2.31", "2.40"),
                ("console 2.31", None, "2.31"),
                ("CONSOLE latest", "2.31", "2.104"),
                ("console 2.31, compute 2.40", None, "2.40"),
                ("compute 2.40, console 2.31", None, "2.31"),
            ],
            check,
        )

    def test_malformed_microversion_returns_400(self):
        def check(text):
            for standard, legacy in (
                (f"compute {text}", None),
                (f"console {text}", None),
                (None, text),
            ):
                reply = self.list_consoles(standard, legacy)
                self.assert_fault(reply, 400)
                self.assert_version_headers(reply, None)

        self.each(
            [
                (text,)
                for text in (
                    *("2", "2.", ".1", "two", "2.x", "2.1.1", "2.01", "02.1"),
                    *("2.-1", "-2.1", "+2.1", "2,1", "2.1e3", "0x2.1"),
                    *("2.1\xb2", "\xb2.1", "2." + "9" * 500, "9" * 5000),
                    *("latest.1", "None", "''", "{}", "2.1;x"),
                )
            ],
            check,
        )

    def test_unsupported_microversion_returns_406(self):
        def check(version):
            for standard, legacy in (
                (f"compute {version}", None),
                (f"console {version}", None),
                (None, version),
            ):
                reply = self.list_consoles(standard, legacy)
                self.assert_fault(
                    reply,
                    406,
                    f"Version {version} is not supported by the API. Minimum "
                    "is 2.1 and maximum is 2.104.",
                )
                self.assert_version_headers(reply, version)

        self.each(
            [("2.0",), ("1.1",), ("2.105",), ("3.0",), ("2.999999999",)], check
        )

    def test_faults_name_microversion(self):
        reply = self.member.post(
            f"/servers/{UNKNOWN}/consoles", version="2.31"
        )
        self.assert_fault(reply, 404)
        self.assert_version_headers(reply, "2.31")

    def test_v2_ignores_microversions(self):
        server_id = self.make_server()
        legacy = self.client("user", prefix="/v2")
        for asked in (None, "2.99", "9.9", "nonsense"):
            with self.subTest(asked):
                reply = legacy.post(
                    f"/servers/{server_id}/action",
                    {"os-getVNCConsole": {"type": "novnc"}},
                    version=asked,
                )
                self.assertEqual(200, reply.status, reply.body)
                self.assert_version_headers(reply, None)
                # The operation of 2.6 does not exist in 2.1.
                reply = legacy.post(
                    f"/servers/{server_id}/remote-consoles",
                    {"remote_console": {"protocol": "vnc", "type": "novnc"}},
                    version=asked,
                )
                self.assert_fault(reply, 404)
                self.assertIn("below /v2.1", reply.message)

    def test_v2_ignores_unknown_properties(self):
        server_id = self.make_server()
        body = {"os-getVNCConsole": {"type": "novnc", "x": 1}}
        for prefix, status in (("/v2", 200), ("/v2.1", 400)):
            reply = self.member.post(
                f"/servers/{server_id}/action", body, prefix=prefix
            )
            self.assertEqual(status, reply.status, reply.body)
