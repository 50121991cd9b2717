# SPDX-License-Identifier: Apache-2.0
import io
from unittest import mock

from console_api_client.tests.base import CloudCase
from console_api_client.tests.cloud import SERVER, fault

TOKEN = "token-of-console"
REQUEST = f"DELETE console /os-console-auth-tokens/{TOKEN}"
NOVNC = f"http://host:6080/vnc_auto.html?path=%3Ftoken%3D{TOKEN}"


class RevokeTests(CloudCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers[REQUEST] = (204, None)

    def test_token_is_revoked_by_itself_or_its_url(self) -> None:
        for text in (TOKEN, NOVNC, f"ws://host/?token={TOKEN}"):
            self.openstack("console", "token", "revoke", text)
        self.assertEqual([REQUEST] * 3, self.cloud.requests)

    def test_token_is_read_from_the_input(self) -> None:
        with mock.patch("sys.stdin", io.StringIO(f"{TOKEN}\n")):
            self.openstack("console", "token", "revoke", "-")
        self.assertEqual([REQUEST], self.cloud.requests)

    def test_tokens_of_a_server_are_revoked(self) -> None:
        request = f"DELETE console /servers/{SERVER}/remote-consoles"
        self.answers[request] = (204, None)
        self.openstack("console", "token", "revoke", "--server", "web-1")
        self.assertEqual(request, self.cloud.requests[-1])

    def test_server_without_a_name_is_refused(self) -> None:
        self.assert_refused(
            "Give the name or ID of a server.",
            *("console", "token", "revoke", "--server", ""),
        )
        self.assertEqual([], self.cloud.requests)

    def test_unknown_token_is_refused(self) -> None:
        self.answers[REQUEST] = fault(404, "Token not found.")
        self.assert_refused(
            "Token not found.", "console", "token", "revoke", TOKEN
        )

    def test_url_without_token_is_refused(self) -> None:
        self.assert_refused(
            "contains no token",
            *("console", "token", "revoke", "http://host/?x=1"),
        )

    def test_invalid_url_is_refused(self) -> None:
        self.assert_refused(
            "The URL is invalid: Invalid IPv6 URL.",
            *("console", "token", "revoke", "http://[host/?token=x"),
        )
