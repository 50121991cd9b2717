# SPDX-License-Identifier: Apache-2.0
import unittest
from pathlib import Path

from console_api.policy import reader
from console_api.policy.findings import Finding, Level

PATH = Path("/etc/console_api/policy.yaml")


def read(text: str | bytes) -> reader.Document:
    data = text.encode() if isinstance(text, str) else text
    return reader.read(PATH, data)


class SoundDocumentTest(unittest.TestCase):
    def test_rules_have_names_values_and_places(self) -> None:
        document = read(
            '# Comment\n"a": "role:x"\n\n'
            "b: >-\n  role:x\n  or role:y\n"
            'c: [["role:x"], "role:y", ["role:z", "@"]]\n'
            'd: ""\n'
        )
        self.assertEqual([], document.findings)
        self.assertEqual(
            [
                (2, "a", "role:x"),
                (4, "b", "role:x or role:y"),
                (7, "c", [["role:x"], ["role:y"], ["role:z", "@"]]),
                (8, "d", ""),
            ],
            [(rule.line, rule.name, rule.value) for rule in document.rules],
        )

    def test_anchors_are_resolved(self) -> None:
        document = read('a: &own "project_id:x"\nb: *own\nc: [*own]\n')
        self.assertEqual([], document.findings)
        self.assertEqual(
            ["project_id:x", "project_id:x", [["project_id:x"]]],
            [rule.value for rule in document.rules],
        )

    def test_comments_alone_are_no_rules(self) -> None:
        document = read("# Nothing\n")
        self.assertEqual(([], []), (document.rules, document.findings))

    def test_empty_file_is_reported(self) -> None:
        for text in ("", "\n", " \n\t\n", "\ufeff\n"):
            with self.subTest(repr(text)):
                finding = read(text).findings[-1]
                self.assertEqual(Level.WARNING, finding.level)

    def test_byte_order_mark_is_ignored(self) -> None:
        [rule] = read(b"\xef\xbb\xbfa: role:x\n").rules
        self.assertEqual("a", rule.name)

    def test_json_is_read_with_warning(self) -> None:
        document = read('{"a": "role:x"}')
        self.assertEqual(1, len(document.rules))
        [finding] = document.findings
        self.assertEqual(Level.WARNING, finding.level)


class BrokenDocumentTest(unittest.TestCase):
    def assertBroken(
        self, text: str | bytes, line: int, rule: str | None, *words: str
    ) -> Finding:
        finding, *_others = read(text).findings
        self.assertEqual(
            (Level.BROKEN, line, rule),
            (finding.level, finding.line, finding.rule),
            finding,
        )
        for word in words:
            self.assertIn(word, str(finding))
        return finding

    def test_values_other_than_text_are_not_checks(self) -> None:
        for value, word in (
            ("!", "tag !"),
            ('! "role:x"', "tag !"),
            ("!!str", "not text"),
            ("!!binary cm9sZTp4", "tag"),
            ("", "null"),
            ("null", "null"),
            ("~", "null"),
            (">-", "not text"),
            ("|\n# role:x", "not text"),
            ("off", "boolean"),
            ("no", "boolean"),
            ("false", "boolean"),
            ("true", "boolean"),
            ("0", "number"),
            ("0x10", "number"),
            ("1.5", "number"),
            ("2026-11-28", "not text"),
            ("{}", "mapping"),
            ("{role: x}", "mapping"),
            ("[]", "empty list"),
            ("[[]]", "empty list"),
            ('[["role:x"], []]', "empty list"),
            ("[! ]", "list"),
            ("[[null]]", "list"),
            ('[[["role:x"]]]', "list"),
            ("&a [*a]", "list"),
            ('!!str ["role:x"]', "not text"),
            ('[!!str ["role:x"]]', "list"),
            ('[!!seq "role:x"]', "list"),
        ):
            with self.subTest(value):
                self.assertBroken(f"a: role:x\nS: {value}\n", 2, "S", word)

    def test_names_other_than_text_are_refused(self) -> None:
        for name in (
            "1",
            "on",
            "~",
            "[a]",
            "<<",
            "? {a: b}\n",
            "? !!str [a]\n",
        ):
            with self.subTest(name):
                self.assertBroken(f"{name}: role:x\n", 1, None, "name")

    def test_duplicate_rule_is_refused(self) -> None:
        self.assertBroken(
            'a: role:x\nb: role:x\n"a": role:y\n', 3, "a", "line 1"
        )

    def test_syntax_errors_name_line_and_rule(self) -> None:
        for text, line, rule, word in (
            (
                'a: "!"\nS: ["role:x", "role:y"\nb: "!"\n',
                2,
                "S",
                "list is not closed",
            ),
            ('a: "!"\nS:\n\t"role:x"\n', 3, "S", "tab"),
            (
                'a: "!"\nS: "role:x\nb: y\n',
                2,
                "S",
                "quotation mark is not closed",
            ),
            ("a: b\nS: @\n", 2, "S", 'begins with "@"'),
            ("S: *x\n", 1, None, "begins with *"),
            ("a: b: c\n", 1, "a", 'another ": "'),
            ("a: b\nb: x\0y\n", 2, "b", "control"),
            ("a: b\n---\nc: d\n", 2, None, "document"),
            ("a: " + "[" * 100_000, 1, "a", "nesting"),
            (f"a: {'[' * 50}{']' * 50}", 1, "a", "nesting"),
            ("- a\n- b\n", 1, None, "rules"),
            ("just text\n", 1, None, "rules"),
            ("!!python/object/apply:os.system [x]", 1, None, "rules"),
        ):
            with self.subTest(text[:40]):
                found = self.assertBroken(text, line, rule)
                self.assertIn(word, str(found))

    def test_line_that_is_not_utf_8_is_named(self) -> None:
        self.assertBroken(b"a: b\n# f\xfcr\n", 2, None, "UTF-8")
        self.assertBroken("a: b\n".encode("utf-16"), 1, None, "UTF-16")

    def test_rules_after_an_error_are_read(self) -> None:
        document = read(b'a: "b\nc: @\nd: role:d\n# \xfc\ne: \xfc\n')
        self.assertEqual(["d"], [rule.name for rule in document.rules])
        self.assertEqual({"a", "c", "e"}, document.unusable)
        self.assertEqual(
            {1, 2, 4, 5}, {each.line for each in document.findings}
        )

    def test_findings_are_short(self) -> None:
        found = self.assertBroken(
            f"? {'n' * 5000}\n: !{'t' * 5000} x\n", 1, "n" * 5000
        )
        self.assertLess(len(str(found)), 500)

    def test_control_characters_of_names_are_escaped(self) -> None:
        [finding] = read('"a\\nERROR": 1\n').findings
        self.assertIn(r"a\nERROR", str(finding))


class LimitsTest(unittest.TestCase):
    def test_aliases_are_limited(self) -> None:
        lines = ['a0: &a0 ["role:x", "role:x", "role:x", "role:x"]']
        lines += [
            f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]"
            for n in range(1, 9)
        ]
        document = read("\n".join([*lines, "S: *a8\n"]))
        self.assertEqual(
            ["a2", "a3", "a4", "a5", "a6", "a7", "a8", "S"],
            [finding.rule for finding in document.findings],
        )

    def test_sum_of_repeated_lists_is_limited(self) -> None:
        checks = ", ".join(["role:x"] * 1000)
        rules = "".join(f"r{n}: *a\n" for n in range(1000))
        document = read(f"a: &a [{checks}]\n{rules}")
        self.assertIn("too large", str(document.findings[0]))
        self.assertLess(len(document.rules), 101)

    def test_number_of_nodes_is_limited(self) -> None:
        text = "".join(f"r{n}:\n" for n in range(100_001))
        [finding] = read(text).findings
        self.assertIn("the file too large", str(finding))
