# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.agent.drivers.xvp import passwords

# Measured on xvp 1.16.
VM = {
    "a": "daaaa96228e23a45",
    "0": "45cb42e71aa9a60e",
    "abc": "16799c3806e400a3",
    "test": "97410c7df981393b",
    "password": "ed1a6fce37775acd",
    "12345678": "480b7ee675a08575",
    "!@#$%^&*": "7fdc6a73b29df790",
    "Xv9_k-2+": "d5c24a2652171b94",
}
POOL = {
    "a": "de423b8ea2bc007494f43d47a87410fa",
    "ab": "d4a804f51aa62d6894f43d47a87410fa",
    "root": "27192e0d594e112694f43d47a87410fa",
    "password": "2a0e3d7a60a60b3294f43d47a87410fa",
    "passw0rd1": "3b4816bcf9d4cc2b8f90ff6175ab7dd3",
    "0123456789abcdef": "0fd5afc28bbe1ede32af7fd70a26fe44",
    "!@#$%^&*()_+-=[]": "feb6bb97a54ff8a4abc482206259c9b1",
    "correct horse ba": "7011aec2724bc0d7c811f48bb8ff1971",
}


class PasswordsTest(unittest.TestCase):
    def test_obfuscation_matches_xvp(self) -> None:
        for obfuscate, vectors in (
            (passwords.obfuscate_vm, VM),
            (passwords.obfuscate_pool, POOL),
        ):
            for password, expected in vectors.items():
                with self.subTest(password):
                    self.assertEqual(expected, obfuscate(password))

    def test_spaces_and_unicode_are_accepted_for_pools_only(self) -> None:
        for password in ("a b", "ä"):
            with self.subTest(password):
                self.assertEqual(32, len(passwords.obfuscate_pool(password)))
                with self.assertRaises(ValueError) as caught:
                    passwords.obfuscate_vm(password)
                self.assertNotIn(password, str(caught.exception))

    def test_length_and_characters_are_checked(self) -> None:
        for obfuscate, length in (
            (passwords.obfuscate_vm, 8),
            (passwords.obfuscate_pool, 16),
        ):
            for password in ("", "x" * (length + 1), "é" * length, "a\0b"):
                with self.subTest(password), self.assertRaises(ValueError):
                    obfuscate(password)
