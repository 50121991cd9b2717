# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.directory import base as directory
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER
from console_api.tokens import access


class ServerIdTest(unittest.TestCase):
    def test_canonical_uuids_are_server_ids(self) -> None:
        for text in (SERVER, UNKNOWN_SERVER):
            with self.subTest(text):
                self.assertTrue(directory.is_server_id(text))

    def test_anything_else_is_not(self) -> None:
        for text in (
            "",
            UNKNOWN_SERVER.upper(),
            UNKNOWN_SERVER.replace("-", ""),
            f"{{{UNKNOWN_SERVER}}}",
            f"{UNKNOWN_SERVER}\n",
            f" {UNKNOWN_SERVER}",
            f"{UNKNOWN_SERVER}0",
            UNKNOWN_SERVER.replace("f", "\uff46"),
            "../" + UNKNOWN_SERVER,
            "\0",
            "x" * 10_000,
        ):
            with self.subTest(text[:50]):
                self.assertFalse(directory.is_server_id(text))


class ProtocolsTest(unittest.TestCase):
    def test_every_protocol_has_console_types(self) -> None:
        self.assertEqual(
            set(directory.PROTOCOLS), set(access.TYPES_OF_PROTOCOL)
        )
