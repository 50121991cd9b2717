# SPDX-License-Identifier: Apache-2.0
import unittest
from pathlib import Path

from console_api.policy import expectations
from console_api.policy.callers import Caller
from console_api.policy.expectations import Expectation, MalformedExpectations

PATH = Path("tests.yaml")


def read(text: str) -> list[Expectation]:
    """Return the expectations of a file."""
    return expectations.read(PATH, text.encode())


def one(**values: str) -> str:
    """Return an expectation, with keys added, replaced or removed (empty)."""
    lines = {
        "name": "x",
        "rule": "a",
        "servers": "own",
        "only": "[]",
        **values,
    }
    return "- " + "\n  ".join(f"{k}: {v}" for k, v in lines.items() if v)


class ReadTest(unittest.TestCase):
    def test_expectations_have_lines_subjects_and_servers(self) -> None:
        found = read(
            "# Comment\n"
            "- name: First\n"
            "  operation: GET /os-consoles\n"
            "  servers: other\n"
            "  allowed: [admin]\n"
            "- {name: Second, rule: [a, b], servers: all, refused: [reader]}\n"
        )
        self.assertEqual(
            [
                Expectation(
                    name="First",
                    line=2,
                    subjects=("GET /os-consoles",),
                    servers=(False,),
                    allowed=(Caller(roles=("admin",)),),
                ),
                Expectation(
                    name="Second",
                    line=6,
                    subjects=("a", "b"),
                    servers=(True, False),
                    refused=(Caller(roles=("reader",)),),
                ),
            ],
            found,
        )

    def test_callers_have_roles_and_attributes(self) -> None:
        for text, expected in (
            ("[]", ()),
            ("[a, [b, c]]", (Caller(roles=("a",)), Caller(roles=("b", "c")))),
            ("[[]]", (Caller(),)),
            ("[{roles: a}]", (Caller(roles=("a",)),)),
            ("[{service_roles: [s]}]", (Caller(service_roles=("s",)),)),
            (
                "[{attributes: {user_id: u, is_admin_project: false}}]",
                (
                    Caller(
                        attributes={"user_id": "u", "is_admin_project": False}
                    ),
                ),
            ),
        ):
            with self.subTest(text):
                [found] = read(one(only=text))
                self.assertEqual(expected, found.only)

    def test_others_may_be_allowed_unless_only_is_given(self) -> None:
        [found] = read(one(only="", allowed="[a]"))
        self.assertIsNone(found.only)


class MalformedTest(unittest.TestCase):
    def assertMalformed(self, message: str, text: str | bytes) -> None:
        """Check that a file is refused with a message."""
        data = text if isinstance(text, bytes) else text.encode()
        with self.assertRaises(MalformedExpectations) as caught:
            expectations.read(PATH, data)
        self.assertIn(message, str(caught.exception))

    def test_files_without_expectations_are_refused(self) -> None:
        for text in ("", "{}", "[]", "name: x", "- x", "# comment"):
            with self.subTest(text):
                self.assertMalformed("tests.yaml:", text)

    def test_syntax_errors_have_a_line(self) -> None:
        self.assertMalformed(
            "tests.yaml:2: It is not valid YAML", "- a: b\n\tc"
        )
        self.assertMalformed("tests.yaml: It is not UTF-8", b"- \xff")

    def test_mistakes_have_a_line_and_a_remedy(self) -> None:
        for values, message in (
            (
                {"alowed": "[a]"},
                'tests.yaml:5: Unknown key "alowed". Write "allowed".',
            ),
            ({"zzz": "1"}, 'tests.yaml:5: Unknown key "zzz". Use "name", "op'),
            (
                {"rule": "b\n  rule: c"},
                'tests.yaml:3: The key "rule" is repeated.',
            ),
            ({"[a]": "b"}, "tests.yaml:5: It is not text."),
            ({"name": ""}, 'tests.yaml:1: The key "name" is missing.'),
            ({"servers": ""}, 'tests.yaml:1: The key "servers" is missing.'),
            ({"servers": "mine"}, '"servers" must be "own", "other", "all".'),
            ({"operation": "GET /x"}, 'Write either "operation" or "rule".'),
            ({"rule": ""}, 'Write either "operation" or "rule".'),
            ({"rule": "[]"}, '"rule" is an empty list.'),
            ({"rule": "{a: b}"}, "tests.yaml:2: It is not text."),
            ({"only": ""}, 'Write "allowed", "refused" or "only".'),
            ({"only": "a"}, "tests.yaml:4: It is not a list of callers."),
            ({"allowed": "[]"}, '"allowed" is an empty list.'),
            ({"only": "[1]"}, "It is not text. Write it in quotation marks."),
            ({"only": "[off]"}, "It is not text."),
            ({"only": "[{role: a}]"}, 'Unknown key "role". Write "roles".'),
            ({"only": "[{attributes: {user: a}}]"}, 'Write "user_id".'),
            ({"only": "[{attributes: a}]"}, "It is not an object with"),
            (
                {"only": "[{attributes: {is_admin_project: x}}]"},
                'It must be "true" or "false".',
            ),
        ):
            with self.subTest(values):
                self.assertMalformed(message, one(**values))

    def test_all_mistakes_are_reported(self) -> None:
        text = f"{one(name='')}\n{one(rule='')}"
        self.assertMalformed("tests.yaml:1: The key", text)
        self.assertMalformed("tests.yaml:4: Write either", text)
