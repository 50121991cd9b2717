# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.gateway.brokers.base import Client
from console_api.gateway.proxies import Source, TrustedProxies

PROXY = "192.0.2.1"
VIEWER = "203.0.113.7"

TRUSTED = TrustedProxies(["192.0.2.0/24", "2001:db8::1"])


def source(
    peer: str = PROXY, *, is_secure: bool = False, **headers: str
) -> Source:
    """Return where a request with headers of a proxy comes from."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return TRUSTED.source(
        Client(peer), {"Host": "gateway", **names}, is_secure=is_secure
    )


class TrustedProxiesTest(unittest.TestCase):
    def test_addresses(self) -> None:
        for address in (PROXY, "::ffff:192.0.2.9", "2001:db8::1"):
            self.assertTrue(TRUSTED.trust(address))
        for address in (VIEWER, "2001:db8::2", "", "localhost"):
            self.assertFalse(TRUSTED.trust(address))
        self.assertFalse(TrustedProxies([]).trust(PROXY))

    def test_malformed_option_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            TrustedProxies(["proxy.example.org"])

    def test_address_of_viewer(self) -> None:
        for chain, address in (
            (VIEWER, VIEWER),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            # What the viewer sent itself is in front.
            (f"198.51.100.1, {VIEWER}", VIEWER),
            (f"192.0.2.77, {VIEWER}", VIEWER),
            # Proxies in a row.
            (f"198.51.100.1, {VIEWER}, 192.0.2.2", VIEWER),
            (f"{VIEWER}, garbage, 192.0.2.2", "192.0.2.2"),
        ):
            with self.subTest(chain):
                found = source(X_Forwarded_For=chain)
                self.assertEqual(Client(address, PROXY), found.client)

    def test_chain_without_address_is_ignored(self) -> None:
        for chain in ("", "unknown", ",,,", "127.0.0.1:80", "x" * 10_000):
            with self.subTest(chain):
                found = source(X_Forwarded_For=chain)
                self.assertEqual(Client(PROXY), found.client)

    def test_headers_of_others_are_ignored(self) -> None:
        found = source(
            VIEWER,
            X_Forwarded_For="198.51.100.1",
            X_Forwarded_Proto="https",
            X_Forwarded_Host="evil.example",
        )
        self.assertEqual(Source(Client(VIEWER), "http", "gateway"), found)

    def test_scheme_and_host_of_proxy(self) -> None:
        found = source(X_Forwarded_Proto="https", X_Forwarded_Host="public")
        self.assertEqual(Source(Client(PROXY), "https", "public"), found)
        self.assertTrue(found.is_secure)
        self.assertEqual("https", source(is_secure=True).scheme)
        for scheme in ("", "wss", "https, http"):
            self.assertEqual("http", source(X_Forwarded_Proto=scheme).scheme)

    def test_address_of_proxy_protocol_is_kept(self) -> None:
        peer = Client(VIEWER, PROXY)
        headers = {"X-Forwarded-For": "198.51.100.1"}
        found = TRUSTED.source(peer, headers, is_secure=False)
        self.assertEqual(peer, found.client)

    def test_headers_after_proxy_protocol_are_those_of_the_viewer(
        self,
    ) -> None:
        found = TRUSTED.source(
            Client(VIEWER, PROXY),
            {
                "Host": "gateway",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "evil.example.org",
                "X-Forwarded-For": "198.51.100.1",
            },
            is_secure=False,
        )
        self.assertEqual(
            Source(Client(VIEWER, PROXY), "http", "gateway"), found
        )
