# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.gateway.origins import Origins, is_same

HOST = "gateway.example.org:6080"

SAME = (
    (None, "http", HOST),
    (f"http://{HOST}", "http", HOST),
    ("http://GATEWAY.example.org:6080", "http", HOST),
    ("https://gateway.example.org", "https", "gateway.example.org"),
    ("https://gateway.example.org", "https", "gateway.example.org:443"),
    ("http://gateway.example.org:80", "http", "gateway.example.org"),
    ("http://[2001:db8::1]:6080", "http", "[2001:db8::1]:6080"),
)
OTHERS = (
    ("https://gateway.example.org:6080", "http", HOST),
    (f"http://{HOST}", "https", HOST),
    ("http://gateway.example.org", "http", HOST),
    ("http://gateway.example.org.evil.example:6080", "http", HOST),
    ("http://evil.example", "http", HOST),
    ("http://evil.example", "http", ""),
    ("http://", "http", ""),
    ("null", "http", HOST),
    ("", "http", HOST),
    ("", "http", ""),
    (f"http://user@{HOST}", "http", HOST),
    (f"http://{HOST}/path", "http", HOST),
    (f"http://{HOST}?", "http", HOST),
    (f"http://{HOST}#", "http", HOST),
    (f"http://{HOST}, http://evil.example", "http", HOST),
    (f"ftp://{HOST}", "ftp", HOST),
    ("http://gateway.example.org:x", "http", HOST),
    ("http://[::1", "http", HOST),
    # A host that is no host does not extend what is allowed.
    ("http://evil.example", "http", "evil.example@gateway.example.org"),
    ("http://evil.example", "http", f"{HOST}@evil.example"),
    ("http://evil.example", "http", "evil.example/"),
    ("http://evil.example", "http", "evil.example#"),
)


class OriginsTest(unittest.TestCase):
    def test_own_page_is_allowed(self) -> None:
        for origin, scheme, host in SAME:
            with self.subTest(origin, host=host):
                self.assertTrue(Origins([]).is_allowed(origin, scheme, host))

    def test_other_pages_are_refused(self) -> None:
        for origin, scheme, host in OTHERS:
            with self.subTest(origin, host=host):
                self.assertFalse(Origins([]).is_allowed(origin, scheme, host))
                self.assertFalse(is_same(origin, scheme, host))

    def test_listed_origins_are_allowed(self) -> None:
        origins = Origins(["https://dashboard.example.org"])
        self.assertTrue(
            origins.is_allowed("https://dashboard.example.org", "http", HOST)
        )
        for origin in (
            "http://dashboard.example.org",
            "https://dashboard.example.org:8443",
            "https://www.dashboard.example.org",
        ):
            self.assertFalse(origins.is_allowed(origin, "http", HOST))

    def test_malformed_option_is_refused(self) -> None:
        for text in ("dashboard.example.org", "*", "https://a.example/path"):
            with self.assertRaisesRegex(ValueError, "is not an origin"):
                Origins([text])
