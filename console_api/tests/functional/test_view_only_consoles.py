# SPDX-License-Identifier: Apache-2.0
"""View-only and exclusive remote consoles."""

from console_api.tests.functional import base
from console_api.tests.functional.remote_consoles import (
    RemoteConsoleTestCase,
    request_body,
)


@base.on_each_database
class ViewOnlyTests(RemoteConsoleTestCase):
    def test_view_only_token_is_for_the_gateway_only(self):
        reader = self.client("reader", roles="reader")
        body = request_body("vnc", "novnc")
        self.assert_fault(reader.post(self.remote, body, version="2.6"), 403)
        reply = reader.post(f"{self.remote}/view-only", body, version="2.6")
        self.assertEqual(200, reply.status, reply.body)
        url = reply.json["remote_console"]["url"]
        token = self.assert_url(url, "novnc")
        row = self.stored(token)
        self.assertEqual((True, False), (row.view_only, row.exclusive))
        path = f"/os-console-auth-tokens/{token}"
        for version in ("2.31", "2.99"):
            reply = self.admin.get(path, version=version)
            self.assert_fault(reply, 404)
        # It can be revoked like others.
        self.assertEqual(204, self.member.delete(path).status)

    def test_exclusive_is_stored(self):
        for value in (True, False):
            body = request_body("vnc", "novnc")
            body["remote_console"]["exclusive"] = value
            reply = self.member.post(self.remote, body, version="2.6")
            self.assertEqual(200, reply.status, reply.body)
            row = self.stored(
                base.token_of(reply.json["remote_console"]["url"])
            )
            self.assertEqual((False, value), (row.view_only, row.exclusive))
            reply = self.member.post(
                f"{self.remote}/view-only", body, version="2.6"
            )
            self.assert_fault(reply, 400)
