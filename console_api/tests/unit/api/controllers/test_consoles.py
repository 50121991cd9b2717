# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
from typing import Any
from unittest import mock

from console_api import errors
from console_api.api.controllers import consoles
from console_api.consoles import types
from console_api.db import tables
from console_api.tests.unit.api.controllers.base import ControllerCase


class ConsolesCase(ControllerCase):
    def list(self, **request: Any) -> list[dict[str, Any]]:
        reply = consoles.index(self.request(**request))
        self.assertEqual(200, reply.status)
        return [item["console"] for item in json.loads(reply.body)["consoles"]]

    def only_id(self) -> str:
        [console] = self.list()
        return str(console["id"])


class OperationsTest(ConsolesCase):
    def test_console_is_created_listed_shown_and_deleted(self) -> None:
        reply = consoles.create(self.request())
        self.assertEqual((200, b""), (reply.status, reply.body))
        [console] = self.list()
        self.assertEqual({"id", "console_type"}, set(console))
        item: dict[str, Any] = {"console_id": str(console["id"])}
        shown = json.loads(consoles.show(self.request(**item)).body)
        self.assertEqual(
            {
                "id": console["id"],
                "console_type": "vnc",
                "password": mock.ANY,
                "instance_name": self.server.instance_name,
                "port": mock.ANY,
                "host": "console-1.example.org",
            },
            shown["console"],
        )
        reply = consoles.delete(self.request(**item))
        self.assertEqual((202, b""), (reply.status, reply.body))
        self.assertEqual([], self.list())

    def test_malformed_or_unknown_console_id_is_not_found(self) -> None:
        consoles.create(self.request())
        console_id = self.only_id()
        before = self.rows(tables.consoles)
        for text in (
            "",
            "x",
            "-1",
            "+1",
            "1.0",
            " 1",
            f"{console_id}\n",
            "1_0",
            "\u0661",
            "\xb2",
            "\0",
            "9" * 18,
            "9" * 19,
            "9" * 10_000,
        ):
            for operation in (consoles.show, consoles.delete):
                with (
                    self.subTest(text[:30], operation=operation.__name__),
                    self.assertRaises(errors.ConsoleNotFound),
                ):
                    operation(self.request(console_id=text))
        self.assertEqual(before, self.rows(tables.consoles))


class IndexTest(ConsolesCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(
            mock.patch.object(
                types, "_of_installed_drivers", return_value=["mks"]
            )
        )
        self.ids = []
        for console_type in ("mks", "vnc+xvp", "vnc"):
            if console_type != "vnc":
                self.add_console_host(console_type=console_type)
            self.conf.set_override("types", [console_type], "consoles")
            self.service = self.make_service()
            consoles.create(self.request())
        self.ids = [console["id"] for console in self.list()]

    def test_index_applies_limit_and_marker(self) -> None:
        one, two, three = self.ids
        for query, expected in (
            ({}, [one, two, three]),
            ({"limit": "2"}, [one, two]),
            ({"marker": str(one)}, [two, three]),
            ({"marker": str(one), "limit": "1"}, [two]),
            ({"marker": "9" * 18}, []),
            ({"limit": "0"}, []),
        ):
            with self.subTest(query):
                self.assertEqual(
                    expected,
                    [console["id"] for console in self.list(query=query)],
                )

    def test_index_of_server_not_found_is_empty(self) -> None:
        request = dataclasses.replace(self.request(), target=None)
        self.assertEqual(b'{"consoles": []}', consoles.index(request).body)

    def test_index_never_exceeds_max_limit(self) -> None:
        self.service = dataclasses.replace(self.service, max_limit=2)
        for query in ({}, {"limit": "3"}, {"limit": "9" * 18}):
            with self.subTest(query):
                self.assertEqual(2, len(self.list(query=query)))
