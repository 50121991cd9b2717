# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.policy import syntax


class SalvageTest(unittest.TestCase):
    def test_each_faulty_rule_is_found(self) -> None:
        expected = (
            ('"a": "rule:x', 1, "a", "quotation mark is not closed"),
            ('"b": @', 2, "b", 'begins with "@"'),
            ('"c": "role:x",', 3, "c", "after the check"),
            ('"d":"role:x"', 4, "d", 'no ": " between name and check'),
            ("e:role:x", 5, None, 'no ": " between name and check'),
            ('"f": [["role:x"], ["y"]', 6, "f", '"]" is missing'),
            ("g: role:x or user: x", 7, "g", 'another ": "'),
            ('h: role:x\n  "i": "role:x"', 9, "h", 'another ": "'),
            ('"j": "role:x"\n  "k": "role:x"', 11, "k", "indented"),
            ("l: 'it's'", 12, "l", "after the check"),
            ('m: "\\q"', 13, "m", "backslash"),
            ("n: {x: y", 14, "n", '"}" is missing'),
            ("o: role:x\n---", 16, None, "more than one document"),
            ("p:\n\trole:x", 18, "p", "tab"),
        )
        text = "".join(f"{rule}\n" for rule, *_fault in expected)
        found, _rest = syntax.salvage(text)
        self.assertEqual(
            [(line, name) for _rule, line, name, _words in expected],
            [(fault.line, fault.name) for fault in found],
        )
        for fault, (*_fault, words) in zip(found, expected, strict=True):
            self.assertIn(words, fault.problem)

    def test_other_rules_stay_at_their_lines(self) -> None:
        _found, rest = syntax.salvage(
            "# x\na: b\nc: [\n# y\nd: e\nf: @\ng: h\n"
        )
        self.assertEqual("# x\na: b\n\n\nd: e\n\ng: h\n", rest)

    def test_alias_of_another_rule_is_not_a_fault(self) -> None:
        found, _rest = syntax.salvage("a: &x role:a\nb: *x\nc: @\n")
        self.assertEqual(["c"], [fault.name for fault in found])

    def test_faults_are_limited(self) -> None:
        found, rest = syntax.salvage("a: [\n" * 1000)
        self.assertEqual((20, ""), (len(found), rest))

    def test_large_text_is_not_examined(self) -> None:
        self.assertEqual(([], ""), syntax.salvage("a: [\n" * 200_000))
