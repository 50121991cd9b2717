# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.rfb import auth
from console_api.tests.unit.rfb.base import CHALLENGE


class RespondTest(unittest.TestCase):
    def test_bits_of_password_are_reversed(self) -> None:
        # From openssl enc -des-ecb -nopad -K 0e86ceceeef64e26: "password"
        # with the bits of each byte reversed.
        self.assertEqual(
            bytes.fromhex("ff97502e9422f089" * 2),
            auth.respond("password", bytes(16)),
        )

    def test_halves_of_challenge_are_encrypted_separately(self) -> None:
        one = auth.respond("secret", CHALLENGE)
        other = auth.respond("secret", CHALLENGE[:8] + bytes(8))
        self.assertEqual(16, len(one))
        self.assertEqual(one[:8], other[:8])
        self.assertNotEqual(one[8:], other[8:])

    def test_password_is_truncated_to_eight_characters(self) -> None:
        self.assertEqual(
            auth.respond("12345678", CHALLENGE),
            auth.respond("123456789", CHALLENGE),
        )


class VerifyTest(unittest.TestCase):
    def test_only_correct_response_is_verified(self) -> None:
        correct = auth.respond("secret", CHALLENGE)
        for response, expected in (
            (correct, True),
            (auth.respond("Secret", CHALLENGE), False),
            (auth.respond("secret", bytes(16)), False),
            (correct[:15], False),
            (b"", False),
        ):
            with self.subTest(response=response):
                self.assertEqual(
                    expected, auth.verify("secret", CHALLENGE, response)
                )
