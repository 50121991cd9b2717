# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest
from typing import Any

from microversion_parse import Version

from console_api import errors, values
from console_api.api.schemas import Schema, consoles, remote_consoles
from console_api.api.schemas import console_auth_tokens as tokens


class SchemasCase(unittest.TestCase):
    def assertAccepts(
        self, schema: Schema, document: Any, minor: int = 1
    ) -> None:
        with self.subTest(accepted=document, minor=minor):
            schema.validate(Version(2, minor), document)

    def assertRefuses(
        self, schema: Schema, document: Any, minor: int = 1
    ) -> str:
        with (
            self.subTest(refused=document, minor=minor),
            self.assertRaises(errors.InvalidInput) as caught,
        ):
            schema.validate(Version(2, minor), document)
        # After a failed subtest there is no exception.
        return str(getattr(caught, "exception", ""))


class SchemaTest(SchemasCase):
    schema = Schema(
        {
            Version(2, 3): {"const": "three"},
            Version(2, 10): {"const": "ten"},
        }
    )

    def test_latest_schema_up_to_the_version_applies(self) -> None:
        for minor, document in (
            (3, "three"),
            (9, "three"),
            (10, "ten"),
            (104, "ten"),
        ):
            self.assertAccepts(self.schema, document, minor)
        self.assertRefuses(self.schema, "ten", 9)
        self.assertRefuses(self.schema, "three", 10)

    def test_anything_is_accepted_before_first_schema(self) -> None:
        self.assertAccepts(self.schema, "anything", 2)

    def test_message_names_field(self) -> None:
        schema = Schema(
            {
                Version(2, 1): {
                    "properties": {
                        "a": {"properties": {"b": {"type": "integer"}}}
                    },
                    "required": ["a"],
                }
            }
        )
        self.assertIn("a/b", self.assertRefuses(schema, {"a": {"b": "x"}}))
        self.assertIn("'a' is a required", self.assertRefuses(schema, {}))

    def test_message_is_bounded(self) -> None:
        schema = Schema(
            {Version(2, 1): {"additionalProperties": {"type": "null"}}}
        )
        message = self.assertRefuses(schema, {"k" * 9999: "v" * 9999})
        self.assertLess(len(message), 500)


class ListQueryTest(SchemasCase):
    def test_integers_and_unknown_parameters_are_accepted(self) -> None:
        for query in (
            {},
            {"limit": "0"},
            {"limit": "10", "marker": "999999999999999999"},
            {"unknown": "x"},
        ):
            self.assertAccepts(consoles.LIST_QUERY, query)
            self.assertAccepts(consoles.LIST_QUERY, query, 104)

    def test_other_values_are_refused(self) -> None:
        for value in (
            "",
            "-1",
            "1.5",
            "x",
            "1\n",
            "\u0661",
            "9" * 19,
            "0x10",
        ):
            for name in ("limit", "marker"):
                message = self.assertRefuses(
                    consoles.LIST_QUERY, {name: value}
                )
                self.assertIn(name, message)


class TokenQueryTest(SchemasCase):
    def test_unknown_parameters_are_refused_from_2_99(self) -> None:
        self.assertAccepts(tokens.SHOW_QUERY, {"unknown": "x"}, 98)
        self.assertRefuses(tokens.SHOW_QUERY, {"unknown": "x"}, 99)
        self.assertAccepts(tokens.SHOW_QUERY, {}, 99)


class CreateBodyTest(SchemasCase):
    def body(self, protocol: Any = "vnc", kind: Any = "novnc") -> Any:
        return {"remote_console": {"protocol": protocol, "type": kind}}

    def test_protocols_and_types_depend_on_microversion(self) -> None:
        schema = remote_consoles.CREATE_BODY
        first = {
            "protocol": ["vnc", "spice", "serial", "rdp"],
            "kind": ["novnc", "xvpvnc", "spice-html5", "serial", "rdp-html5"],
        }
        for minors, names in (
            ((6, 7, 8, 98, 99, 104), first),
            ((8, 98, 99, 104), {"protocol": ["mks"], "kind": ["webmks"]}),
            ((99, 104), {"kind": ["spice-direct"]}),
        ):
            for field, accepted in names.items():
                for value in accepted:
                    body = self.body(**{field: value})
                    for minor in (6, 7, 8, 98, 99, 104):
                        if minor in minors:
                            self.assertAccepts(schema, body, minor)
                        else:
                            self.assertRefuses(schema, body, minor)

    def test_other_bodies_are_refused(self) -> None:
        body: object
        for body in (
            None,
            [],
            "remote_console",
            {},
            {"remote_console": None},
            {"remote_console": {}},
            {"remote_console": {"protocol": "vnc"}},
            {"remote_console": {"type": "novnc"}},
            self.body(protocol="VNC"),
            self.body(kind=None),
            self.body(kind=["novnc"]),
            self.body(kind="x" * 10_000),
            {**self.body(), "more": 1},
            {
                "remote_console": {
                    "protocol": "vnc",
                    "type": "novnc",
                    "more": 1,
                }
            },
        ):
            for minor in (6, 8, 99):
                message = self.assertRefuses(
                    remote_consoles.CREATE_BODY, body, minor
                )
                self.assertLess(len(message), 500)

    def test_deeply_nested_body_is_refused(self) -> None:
        deep: object = 1
        for _ in range(100_000):
            deep = {"a": deep}
        body = {"remote_console": {"protocol": deep, "type": "novnc"}}
        # Not with `assertRefuses`, which quotes the body.
        with self.assertRaisesRegex(errors.InvalidInput, "nested too deeply"):
            remote_consoles.CREATE_BODY.validate(Version(2, 6), body)


class ActionBodyTest(SchemasCase):
    schema = remote_consoles.ACTION_BODY

    def test_actions_accept_types_of_their_protocol(self) -> None:
        types = {
            "os-getVNCConsole": {"novnc", "xvpvnc"},
            "os-getSPICEConsole": {"spice-html5"},
            "os-getRDPConsole": {"rdp-html5"},
            "os-getSerialConsole": {"serial"},
        }
        self.assertEqual(set(remote_consoles.ACTIONS), set(types))
        every = [*itertools.chain(*values.CONSOLE_TYPES_BY_PROTOCOL.values())]
        for action, accepted in types.items():
            for kind in every:
                body = {action: {"type": kind}}
                if kind in accepted:
                    self.assertAccepts(self.schema, body)
                else:
                    self.assertRefuses(self.schema, body)

    def test_other_bodies_are_refused(self) -> None:
        vnc = {"type": "novnc"}
        body: object
        for body in (
            None,
            [],
            {},
            {"reboot": {"type": "SOFT"}},
            {"os-getVNCConsole": None},
            {"os-getVNCConsole": {}},
            {"os-getVNCConsole": {"type": 1}},
            {"os-getVNCConsole": {**vnc, "more": 1}},
            {"os-getVNCConsole": vnc, "more": 1},
            {
                "os-getVNCConsole": vnc,
                "os-getSerialConsole": {"type": "serial"},
            },
        ):
            self.assertRefuses(self.schema, body)


class ListAllQueryTest(SchemasCase):
    def test_valid_parameters_are_accepted(self) -> None:
        for name, text in (
            *((("all_projects", "true"), ("all_projects", "false"))),
            ("server_id", "0000000a-000b-400C-800d-00000000000F"),
            ("console_host", "console-1.example.org"),
            ("console_type", "vnc+xvp"),
            *(("state", state) for state in values.ConsoleState),
            *((("limit", "1"), ("limit", "9" * 18))),
            *((("marker", "0"), ("marker", "9" * 18))),
        ):
            self.assertAccepts(consoles.LIST_ALL_QUERY, {name: text})

    def test_other_parameters_are_refused_by_name(self) -> None:
        for name, text in (
            ("all_projects", "yes"),
            ("all_projects", ""),
            ("server_id", "web1"),
            ("server_id", ""),
            ("server_id", "0000000a-000b-400c-800d-00000000000f\n"),
            ("console_host", ""),
            ("console_host", "a\0b"),
            ("console_host", "x" * 256),
            ("console_type", ""),
            ("state", "up"),
            ("limit", "0"),
            ("limit", "-1"),
            ("limit", "9" * 19),
            ("marker", "x"),
            ("host", "console-1"),
            ("All_Projects", "true"),
        ):
            message = self.assertRefuses(consoles.LIST_ALL_QUERY, {name: text})
            self.assertIn(name, message)
