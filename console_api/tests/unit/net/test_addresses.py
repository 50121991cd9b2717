# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.net import addresses

# An address as the kernel reports it, as people write it, and its network.
ADDRESSES = (
    ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ("2001:db8:0:1:2::3", "2001:db8:0:1:2::3", "2001:db8:0:1::/64"),
    ("fe80::1%eth0", "fe80::1%eth0", "fe80::/64"),
    ("::1", "::1", "::/64"),
)


class AddressesTest(unittest.TestCase):
    def test_readable_and_network(self) -> None:
        for address, readable, network in ADDRESSES:
            with self.subTest(address):
                self.assertEqual(readable, addresses.readable(address))
                self.assertEqual(network, addresses.network(address))

    def test_names_are_not_numeric(self) -> None:
        for address, *_ in ADDRESSES:
            self.assertTrue(addresses.is_numeric(address), address)
        for name in ("localhost", "192.0.2.1.example.org", "192.0.2", ""):
            self.assertFalse(addresses.is_numeric(name), name)
