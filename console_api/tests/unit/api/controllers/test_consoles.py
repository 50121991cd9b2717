# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

from console_api import errors
from console_api.api.controllers import consoles
from console_api.api.request import Request
from console_api.api.response import Response
from console_api.db import tables
from console_api.tests.unit.api.controllers.base import ControllerCase
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT, UNKNOWN_SERVER

Operation = Callable[[Request], Response]


class ConsolesCase(ControllerCase):
    def list(self, **request: Any) -> list[dict[str, Any]]:
        reply = consoles.index(self.request("reader", **request))
        self.assertEqual(200, reply.status)
        return [item["console"] for item in json.loads(reply.body)["consoles"]]

    def only_id(self) -> str:
        [console] = self.list()
        return str(console["id"])


class OperationsTest(ConsolesCase):
    def test_a_console_is_created_listed_shown_and_deleted(self) -> None:
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


class IndexTest(ConsolesCase):
    def setUp(self) -> None:
        super().setUp()
        self.ids = []
        for console_type in ("mks", "vnc+xvp", "vnc"):
            if console_type != "vnc":
                self.add_console_host(console_type=console_type)
            with mock.patch.object(
                self.service.consoles, "_console_types", [console_type]
            ):
                consoles.create(self.request())
        self.ids = [console["id"] for console in self.list()]

    def test_a_page_has_what_limit_and_marker_ask_for(self) -> None:
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

    def test_a_page_is_never_longer_than_configured(self) -> None:
        object.__setattr__(self.service, "max_limit", 2)
        for query in ({}, {"limit": "3"}, {"limit": "9" * 18}):
            with self.subTest(query):
                self.assertEqual(2, len(self.list(query=query)))


class RefusalTest(ConsolesCase):
    def setUp(self) -> None:
        super().setUp()
        consoles.create(self.request())
        self.console_id = self.only_id()

    def test_a_server_that_is_not_there_or_of_others_has_no_consoles(
        self,
    ) -> None:
        for request in (
            {"server_id": UNKNOWN_SERVER},
            {"server_id": "x"},
            {"project": OTHER_PROJECT},
        ):
            with self.subTest(request):
                self.assertEqual([], self.list(**request))

    def test_whoever_may_not_is_told_by_whose_server_it_is(self) -> None:
        item: dict[str, Any] = {"console_id": self.console_id}
        for operation, role, more in (
            (consoles.index, "other", {}),
            (consoles.create, "reader", {}),
            (consoles.show, "reader", item),
            (consoles.delete, "reader", item),
            # Whether it is there or not.
            (consoles.show, "reader", {"console_id": "999"}),
            (consoles.delete, "reader", {"console_id": "x"}),
        ):
            name = operation.__name__
            with (
                self.subTest(name, project="own"),
                self.assertRaisesRegex(errors.Forbidden, "os-consoles:"),
            ):
                operation(self.request(role, PROJECT, **more))
            if operation is consoles.index:
                continue
            for role_elsewhere in ("member", "reader", "service"):
                with (
                    self.subTest(name, project="other", role=role_elsewhere),
                    self.assertRaises(errors.ServerNotFound),
                ):
                    operation(
                        self.request(role_elsewhere, OTHER_PROJECT, **more)
                    )
        self.assertEqual(self.console_id, self.only_id())

    def test_an_unknown_server_is_not_found(self) -> None:
        for operation in (consoles.create, consoles.show, consoles.delete):
            with (
                self.subTest(operation.__name__),
                self.assertRaises(errors.ServerNotFound),
            ):
                operation(
                    self.request(
                        "admin",
                        server_id=UNKNOWN_SERVER,
                        console_id=self.console_id,
                    )
                )

    def test_what_is_no_id_of_a_console_is_not_found(self) -> None:
        before = self.rows(tables.consoles)
        for text in (
            "",
            "x",
            "-1",
            "+1",
            "1.0",
            " 1",
            f"{self.console_id}\n",
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
