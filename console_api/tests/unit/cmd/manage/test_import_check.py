# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import unittest
from collections.abc import Sequence
from typing import Any

from console_api.cmd.manage.import_check import Servers, check
from console_api.tests.unit.base import SERVER, server_id

COMPLETE: dict[str, Any] = {
    "uuid": SERVER,
    "project_id": "p",
    "name": "n",
    "instance_name": "i",
    "compute_host": "c",
    "endpoints": [
        {
            "protocol": "vnc",
            "host": "h",
            "port": 5900,
            "tls_port": 5901,
            "internal_access_path": "x",
        },
        {"protocol": "spice", "host": "h", "port": 5902},
    ],
}

ENDPOINT = {"protocol": "vnc", "host": "h", "port": 1}


def changed(**values: Any) -> dict[str, Any]:
    return {**COMPLETE, **values}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in COMPLETE.items() if name != key}


class CheckTest(unittest.TestCase):
    def check_json(self, *items: Any) -> Servers:
        return check(json.dumps(items).encode(), "json")

    def assertProblems(self, expected: Sequence[str], *items: Any) -> None:
        """Assert the problems of a file with these items."""
        found = self.check_json(*items)
        self.assertEqual(expected, [text for _line, text in found.problems])

    def test_rows_have_all_values_of_the_file(self) -> None:
        found = self.check_json(COMPLETE)
        self.assertEqual([], found.problems)
        [server] = found.servers
        self.assertEqual(
            without("endpoints"),
            {name: getattr(server, name) for name in without("endpoints")},
        )
        self.assertEqual(
            COMPLETE["endpoints"][0],
            {
                "protocol": "vnc",
                **dataclasses.asdict(server.endpoints["vnc"]),
            },
        )
        spice = server.endpoints["spice"]
        self.assertIsNone(spice.tls_port)
        self.assertIsNone(spice.internal_access_path)

    def test_optional_values_have_defaults(self) -> None:
        nothing: dict[str, Any]
        for nothing in ({}, {"instance_name": None, "compute_host": None}):
            found = self.check_json(
                {"uuid": SERVER, "project_id": "p", "name": "n", **nothing}
            )
            self.assertEqual([], found.problems)
            [server] = found.servers
            self.assertEqual("n", server.instance_name)
            self.assertIsNone(server.compute_host)
            self.assertEqual({}, server.endpoints)

    def test_csv_becomes_the_same_rows(self) -> None:
        found = check(
            b"uuid,project_id,name,instance_name,compute_host,vnc_host,"
            b"vnc_port,vnc_tls_port,vnc_internal_access_path,spice_host,"
            b"spice_port\n" + SERVER.encode() + b",p,n,i,c,h,5900,5901,x,h,"
            b"5902\n",
            "csv",
        )
        same = self.check_json(COMPLETE)
        self.assertEqual([], found.problems)
        self.assertEqual(same.servers, found.servers)

    def test_invalid_servers_are_reported(self) -> None:
        at = "line 1 (index 0): "
        for item, problem in (
            (5, "must be an object"),
            (None, "must be an object"),
            ([COMPLETE], "must be an object"),
            (changed(color="red"), "unknown key 'color'; known: uuid, "),
            (without("uuid"), "uuid is missing"),
            (without("project_id"), "project_id is missing"),
            (without("name"), "name is missing"),
            (changed(name=None), "name is missing"),
            (changed(uuid=7), "uuid must be a UUID such as"),
            (changed(uuid="X"), 'in lowercase, not "X"'),
            (changed(project_id=""), "project_id must not be empty"),
            (changed(project_id="x" * 256), "project_id must have at most"),
            (changed(name="a\0"), "name must not contain"),
            (changed(instance_name=[]), "instance_name must be a string"),
            (
                changed(compute_host="a b"),
                "compute_host must not contain wh",
            ),
            (changed(endpoints={}), "endpoints must be a list"),
            (changed(endpoints=[5]), "endpoints[0] must be an object"),
        ):
            with self.subTest(problem=problem):
                found = self.check_json(item)
                [(line, text)] = found.problems
                self.assertEqual(1, line)
                self.assertTrue(text.startswith(at), text)
                self.assertIn(problem, text)
                self.assertEqual([], found.servers)

    def test_invalid_endpoints_are_reported(self) -> None:
        for change, problem in (
            ({"protocol": "ssh"}, ".protocol must be one of"),
            ({"protocol": None}, ".protocol is missing"),
            ({"protocol": ["vnc"]}, ".protocol must be one of"),
            ({"host": ""}, ".host must not be empty"),
            ({"host": None}, ".host is missing"),
            ({"port": None}, ".port is missing"),
            (
                {"port": "5900"},
                '.port must be a number from 1 to 65535, not "',
            ),
            ({"port": 0}, ".port must be a number"),
            ({"port": True}, ".port must be a number"),
            ({"tls_port": 65536}, ".tls_port must be a number"),
            ({"internal_access_path": 5}, "_path must be a string, not 5"),
            ({"color": 5}, "unknown key endpoints[1].'color'; known:"),
        ):
            with self.subTest(problem=problem):
                endpoints = [
                    {**ENDPOINT, "protocol": "rdp"},
                    {**ENDPOINT, **change},
                ]
                found = self.check_json(changed(endpoints=endpoints))
                [(_line, text)] = found.problems
                self.assertIn("endpoints[1].", text)
                self.assertIn(problem, text)

    def test_repeated_protocol_is_reported(self) -> None:
        self.assertProblems(
            ["line 1 (index 0): endpoints[1].protocol must not be vnc again"],
            changed(endpoints=[ENDPOINT, ENDPOINT]),
        )

    def test_csv_endpoints_are_reported_by_column(self) -> None:
        found = check(
            b"uuid,project_id,name,vnc_host,vnc_port\n"
            + SERVER.encode()
            + b",p,n,h,0\n",
            "csv",
        )
        [(_line, text)] = found.problems
        self.assertTrue(text.startswith("line 2: vnc_port must be"), text)

    def test_repeated_uuid_is_reported_with_both_places(self) -> None:
        self.assertProblems(
            [f"line 1 (index 2): uuid {SERVER} is also at line 1 (index 0)"],
            COMPLETE,
            changed(uuid=server_id(2)),
            COMPLETE,
        )

    def test_all_problems_are_reported_at_once(self) -> None:
        self.assertProblems(
            [
                "line 1 (index 0): uuid is missing",
                "line 1 (index 0): project_id is missing",
                "line 1 (index 0): name is missing",
                "line 1 (index 2): must be an object",
            ],
            {},
            COMPLETE,
            5,
        )

    def test_items_before_malformed_data_are_checked(self) -> None:
        found = check(b"[{},\n{", "json")
        self.assertEqual([1, 1, 1, 2], [line for line, _ in found.problems])

    def test_invalid_utf_8_is_reported_on_its_line(self) -> None:
        for file_format in ("json", "csv"):
            found = check(b"uuid,project_id,name\n\n1,2,\xe9", file_format)
            self.assertEqual(
                [(3, "line 3: is not UTF-8; save the file as UTF-8")],
                found.problems,
            )

    def test_byte_order_mark_is_ignored(self) -> None:
        for data, file_format in (
            (b"uuid,project_id,name\n", "csv"),
            (b"[]", "json"),
        ):
            found = check(b"\xef\xbb\xbf" + data, file_format)
            self.assertEqual([], found.problems)
