# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api_client.viewers import des


class EncryptTests(unittest.TestCase):
    def test_blocks_equal_published_ones(self) -> None:
        # Of NBS Special Publication 500-20, and of the standard's literature.
        for key, block, encrypted in (
            ("0101010101010101", "95f8a5e5dd31d900", "8000000000000000"),
            ("7ca110454a1a6e57", "01a1d6d039776742", "690f5b0d9a26939b"),
            ("0131d9619dc1376e", "5cd54ca83def57da", "7a389d10354bd271"),
            ("133457799bbcdff1", "0123456789abcdef", "85e813540f0ab405"),
            ("ffffffffffffffff", "ffffffffffffffff", "7359b2163e4edc58"),
        ):
            with self.subTest(key):
                made = des.encrypt(bytes.fromhex(key), bytes.fromhex(block))
                self.assertEqual(encrypted, made.hex())
