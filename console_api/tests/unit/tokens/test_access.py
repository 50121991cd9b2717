# SPDX-License-Identifier: Apache-2.0
import unittest
from itertools import chain
from urllib.parse import parse_qs, urlsplit

from console_api import values
from console_api.conf import remote_consoles
from console_api.tokens import access

TOKEN = "a-Token_1"

NOVNC = "novnc"
OTHER = "spice-html5"

TYPES = [*chain(*values.CONSOLE_TYPES_BY_PROTOCOL.values())]


class AccessUrlTest(unittest.TestCase):
    def assertUrl(self, kind: str, base: str, expected: str) -> None:
        with self.subTest(kind=kind, base=base):
            self.assertEqual(expected, access.access_url(kind, base, TOKEN))

    def test_novnc_url_has_token_in_path_parameter(self) -> None:
        for base, expected in (
            (
                "http://host:6080/vnc_auto.html",
                "http://host:6080/vnc_auto.html?path=%3Ftoken%3Da-Token_1",
            ),
            (
                "https://host/vnc.html?path=websockify",
                "https://host/vnc.html?path=websockify%3Ftoken%3Da-Token_1",
            ),
            (
                "https://host/vnc.html?path=a/b",
                "https://host/vnc.html?path=a%2Fb%3Ftoken%3Da-Token_1",
            ),
            (
                "https://host/vnc.html?path=a%3Fcell%3D1",
                "https://host/vnc.html?path=a%3Fcell%3D1%26token%3Da-Token_1",
            ),
            (
                "https://host/vnc.html?path=",
                "https://host/vnc.html?path=%3Ftoken%3Da-Token_1",
            ),
            (
                "https://host/vnc.html?path=a&resize=scale",
                "https://host/vnc.html"
                "?resize=scale&path=a%3Ftoken%3Da-Token_1",
            ),
            (
                "https://host/vnc.html?resize=scale&logging=",
                "https://host/vnc.html"
                "?resize=scale&logging=&path=%3Ftoken%3Da-Token_1",
            ),
            (
                "http://[2001:db8::1]:6080/vnc_auto.html",
                "http://[2001:db8::1]:6080/vnc_auto.html"
                "?path=%3Ftoken%3Da-Token_1",
            ),
        ):
            self.assertUrl(NOVNC, base, expected)

    def test_other_url_has_token_parameter(self) -> None:
        for base, expected in (
            ("http://host:6082/", "http://host:6082/?token=a-Token_1"),
            ("http://host:6082", "http://host:6082?token=a-Token_1"),
            ("ws://[::1]:6083/", "ws://[::1]:6083/?token=a-Token_1"),
            (
                "http://host/spice.html?title=a",
                "http://host/spice.html?title=a&token=a-Token_1",
            ),
            (
                "http://host/spice.html?path=a&path=b",
                "http://host/spice.html?path=a&path=b&token=a-Token_1",
            ),
            (
                "http://host/spice.html?title=a+b%26c",
                "http://host/spice.html?title=a%20b%26c&token=a-Token_1",
            ),
            (
                "http://host/spice.html?empty",
                "http://host/spice.html?empty=&token=a-Token_1",
            ),
            (
                "http://host/spice.html#part",
                "http://host/spice.html?token=a-Token_1#part",
            ),
        ):
            self.assertUrl(OTHER, base, expected)

    def test_url_of_every_type_contains_token(self) -> None:
        for kind in TYPES:
            with self.subTest(kind):
                url = access.access_url(kind, "http://h/?a=1", TOKEN)
                query = parse_qs(urlsplit(url).query)
                if kind == NOVNC:
                    query = parse_qs(urlsplit(query["path"][0]).query)
                self.assertEqual([TOKEN], query["token"])


class TypesTest(unittest.TestCase):
    def test_type_belongs_to_one_protocol(self) -> None:
        self.assertEqual(len(TYPES), len(set(TYPES)))

    def test_every_type_has_base_url_option(self) -> None:
        names = {option.name for option in remote_consoles.OPTS}
        self.assertEqual(
            names,
            {f"{kind.replace('-', '_')}_base_url" for kind in TYPES},
        )
