# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.rfb import auth

CHALLENGE = bytes(range(16))


class RespondTest(unittest.TestCase):
    def test_the_bits_of_the_password_are_reversed(self) -> None:
        # From openssl enc -des-ecb -nopad -K 0e86ceceeef64e26: "password"
        # with the bits of each byte reversed.
        self.assertEqual(
            bytes.fromhex("ff97502e9422f089" * 2),
            auth.respond("password", bytes(16)),
        )

    def test_both_halves_of_the_challenge_count(self) -> None:
        one = auth.respond("secret", CHALLENGE)
        other = auth.respond("secret", CHALLENGE[:8] + bytes(8))
        self.assertEqual(16, len(one))
        self.assertEqual(one[:8], other[:8])
        self.assertNotEqual(one[8:], other[8:])

    def test_only_eight_characters_count(self) -> None:
        self.assertEqual(
            auth.respond("12345678", CHALLENGE),
            auth.respond("123456789", CHALLENGE),
        )


class VerifyTest(unittest.TestCase):
    def test_only_the_right_response_counts(self) -> None:
        right = auth.respond("secret", CHALLENGE)
        for response, expected in (
            (right, True),
            (auth.respond("Secret", CHALLENGE), False),
            (auth.respond("secret", bytes(16)), False),
            (right[:15], False),
            (b"", False),
        ):
            with self.subTest(response=response):
                self.assertEqual(
                    expected, auth.verify("secret", CHALLENGE, response)
                )

    def test_each_challenge_is_another_one(self) -> None:
        found = {auth.new_challenge() for _ in range(1000)}
        self.assertEqual(1000, len(found))
        self.assertEqual({16}, {len(one) for one in found})
