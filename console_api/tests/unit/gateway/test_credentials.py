# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.gateway import credentials
from console_api.gateway.brokers.base import Credential
from console_api.tests.unit.gateway.base import grant

KEY = credentials.new_key("novnc")
CONNECT = f"/connect/{KEY}"
SECRET = Credential(secret="s3cr3t")
TOKEN = Credential(token="T")


class FindTest(unittest.TestCase):
    def test_token(self) -> None:
        for path, query, cookies in (
            ("/", "token=T", {}),
            ("/websockify", "token=T", {}),
            ("/vnc_auto.html", "title=web1&token=T", {"token": "other"}),
            ("/websockify", "", {"token": "T"}),
            ("/websockify", "token=", {"token": "T"}),
        ):
            with self.subTest(path, query=query):
                found = credentials.find(path, query, cookies, "binary")
                self.assertEqual(TOKEN, found)

    def test_secret(self) -> None:
        cookies = {f"console-{KEY}": "s3cr3t", "token": "T"}
        self.assertEqual(SECRET, credentials.find(CONNECT, "", cookies, ""))
        offered = "binary, console.czNjcjN0"
        self.assertEqual(SECRET, credentials.find(CONNECT, "", {}, offered))

    def test_missing_credentials(self) -> None:
        other = {f"console-{credentials.new_key('novnc')}": "s3cr3t"}
        for path, query, cookies, offered in (
            ("/", "", {}, ""),
            ("/", "tokens=T", {}, "console.czNjcjN0"),
            ("/", f"token={'x' * 513}", {}, ""),
            ("/", "&".join("token=T" for _ in range(33)), {}, ""),
            (CONNECT, "token=T", {"token": "T"}, "binary"),
            (CONNECT, "", other, ""),
            (CONNECT, "", {f"console-{KEY}": "x" * 513}, ""),
            (CONNECT, "", {}, "console."),
            (CONNECT, "", {}, "console.%%%, console.a"),
            (CONNECT, "", {}, "console._w"),
            (CONNECT, "", {}, f"console.{'A' * 1100}"),
            ("/connect/", "", {"console-": "s3cr3t"}, ""),
            ("/connect/", "", {}, "console.czNjcjN0"),
            ("/connect/x", "", {"console-x": "s3cr3t"}, ""),
        ):
            with self.subTest(path, query=query, offered=offered):
                found = credentials.find(path, query, cookies, offered)
                self.assertIsNone(found)


class HintTest(unittest.TestCase):
    def test_request_shows_console_type(self) -> None:
        for query, cookies, offered, console_type in (
            ("token=T", {}, "", None),
            ("token=T", {}, "binary", None),
            ("token=T", {}, "binary, base64", "serial"),
            ("", {"token": "T"}, "binary", "spice-html5"),
        ):
            with self.subTest(query, offered=offered):
                found = credentials.find("/", query, cookies, offered)
                assert found is not None
                self.assertEqual(console_type, found.console_type)

    def test_page_shows_console_type(self) -> None:
        for page, console_type in (
            ("vnc_auto.html", "novnc"),
            ("vnc_lite.html", "novnc"),
            ("spice_auto.html", "spice-html5"),
            ("serial.html", "serial"),
            ("", None),
            (None, None),
            ([], None),
        ):
            with self.subTest(page):
                found = credentials.read({"token": "T", "page": page})
                assert found is not None
                self.assertEqual("T", found.token)
                self.assertEqual(console_type, found.console_type)

    def test_malformed_request_has_no_credential(self) -> None:
        documents: tuple[object, ...] = (
            None,
            [],
            {},
            {"token": None},
            {"token": ""},
            {"token": 1},
            {"token": "x" * 513},
        )
        for document in documents:
            with self.subTest(document=document):
                self.assertIsNone(credentials.read(document))


class KeyTest(unittest.TestCase):
    def test_keys_are_unique(self) -> None:
        keys = {credentials.new_key("novnc") for _ in range(1000)}
        self.assertEqual(1000, len(keys))

    def test_spice(self) -> None:
        for console_type, is_spice in (
            ("spice-html5", True),
            ("novnc", False),
            ("serial", False),
        ):
            path = f"/connect/{credentials.new_key(console_type)}"
            self.assertIs(is_spice, credentials.is_spice(path))
        self.assertFalse(credentials.is_spice("/spice_auto.html"))


class CookieTest(unittest.TestCase):
    def test_cookie_reaches_frames_of_other_sites(self) -> None:
        allowed = grant(1, secret="s3cr3t", max_duration=60)
        self.assertEqual(
            f"console-{KEY}=s3cr3t; Path=/console/; Max-Age=180; HttpOnly; "
            "Secure; SameSite=None; Partitioned",
            credentials.cookie(KEY, allowed, "/console/"),
        )

    def test_cookie_without_time_limit(self) -> None:
        text = credentials.cookie(KEY, grant(1, secret="s3cr3t"), "/")
        self.assertNotIn("Max-Age", text)
