# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.rfb import des


class EncryptBlockTest(unittest.TestCase):
    def test_published_vectors(self) -> None:
        for key, block, expected in (
            # FIPS 81 and the usual worked example of the algorithm.
            ("0123456789abcdef", "4e6f772069732074", "3fa40e8a984d4815"),
            ("133457799bbcdff1", "0123456789abcdef", "85e813540f0ab405"),
        ):
            with self.subTest(key):
                self.assertEqual(
                    expected,
                    des.encrypt_block(
                        bytes.fromhex(key), bytes.fromhex(block)
                    ).hex(),
                )
