# SPDX-License-Identifier: Apache-2.0
import unittest
from typing import TYPE_CHECKING

from console_api.policy import language

if TYPE_CHECKING:
    from console_api.policy.values import CheckValue

NAMES = {"helper", "os_compute_api:os-consoles:index"}


class ParseTest(unittest.TestCase):
    def test_checks_are_parsed(self) -> None:
        value: CheckValue
        for value, expected in (
            ("", "@"),
            ("@", "@"),
            ("!", "!"),
            ("(!)", "!"),
            ("role:Admin", "role:Admin"),
            ("not role:a AND (role:b or not not rule:helper)", None),
            ("is_admin:True", None),
            ("user_id:%(user_id)s", None),
            ("'member':%(project_id)s", None),
            ("True:True", None),
            ("roles:a", None),
            ("http://host/%(project_id)s?100%%", None),
            ("http://host/?a||b", None),
            ("unknown:%(project_id)s", None),
            ([["!"]], "!"),
            (
                [["role:a"], ["role:b", "role:c"]],
                "(role:a or (role:b and role:c))",
            ),
        ):
            with self.subTest(value):
                tree = language.parse(value, NAMES)
                if expected:
                    self.assertEqual(expected, str(tree))

    def test_malformed_checks_are_refused(self) -> None:
        value: CheckValue
        for value, words in (
            ("  ", "blank"),
            ("guest", "Write role:guest for a role, or rule:guest"),
            ("not guest", "guest"),
            ("admin", "Write role:admin."),
            ("helper", "Write rule:helper."),
            ("os_compute_api:os-consoles:index", "Write rule:os_compute_api"),
            ("role:a || role:b", 'Write "or"'),
            ("role:a && role:b", 'Write "and"'),
            ("role:a, role:b", "comma"),
            ("role:a || role:b", 'Write "or"'),
            ("role:a + role:b", 'Write "or"'),
            ("role:a, role:b", "comma"),
            ("role:a; role:b", "semicolon"),
            ("role:a||role:b", 'Write "or" with spaces'),
            ("role:a&&role:b", 'Write "and" with spaces'),
            ("role:a,role:b", 'Write "or" with spaces'),
            ("role:a|rule:helper", 'Write "or" with spaces'),
            ("!role:a", "Write not role:a."),
            ("role:a and not(role:b)", 'Write "not (".'),
            ("role == 'admin'", "Write role:admin without spaces"),
            ("role : admin", "Write role:admin without spaces"),
            ("role=admin", "Write role:admin."),
            ("role.admin", "Write role:admin."),
            ("true", 'Write "@" for everyone'),
            ("*", 'Write "@" for everyone'),
            ("none", 'Write "!" for no one'),
            ("is_admin", "Write is_admin:True."),
            ("role:'admin'", "Write role:admin without"),
            ("\u201crole:admin\u201d", "Write role:admin without"),
            ("role:ad\u200bmin", "U+200B ZERO WIDTH SPACE"),
            ("project_id:{project_id}", "%(project_id)s"),
            ("project_id:${project_id}", "%(project_id)s"),
            ("project_id:%{project_id}s", "%(project_id)s"),
            ("project_id:$project_id", "%(project_id)s"),
            ("project_id:project_id", "%(project_id)s"),
            ("user_id.x:y", "a part of user_id"),
            ("is_admin:yes", "Write is_admin:True."),
            ("is_admin:0", "Write is_admin:False."),
            ("role:a role:b", "no operator"),
            ("role:a (role:b)", "no operator"),
            ("role:a not role:b", "no operator"),
            ("role:a or", "operator"),
            ("or role:a", "no check"),
            ("role:a or and role:b", "no check"),
            ("not", "operator"),
            ("()", "no check"),
            ("(role:a", "not closed"),
            ("role:a)", 'without a "("'),
            (")role:a(", "kind of check"),
            ("role: member", "Write role:member"),
            ("role:", "nothing after"),
            ("not role:", "nothing after"),
            ("Role:member", "Write role:"),
            ("RULE:helper", "Write rule:"),
            ("is_admin:true", "True"),
            ("not is_admin:true", "True"),
            ("foo-bar:x", "kind of check"),
            (":x", "kind of check"),
            ('"quoted"', "quotation marks"),
            ("'role:a'", "Write role:a without"),
            ("role:%(project_id)", "%"),
            ("role:%s", "%"),
            ("role:%(project_id)d", "%"),
            ("role:100%", "%"),
            ("(" * 40 + "role:a" + ")" * 40, "too deep"),
            ("not " * 2000 + "role:a", "parts"),
            (" or ".join(["role:a"] * 2000), "parts"),
            ([["role:a or role:b"]], "not one check"),
            ([["role:a"], ["guest"]], "guest"),
            ([["role:a", ""]], "not one check"),
        ):
            with (
                self.subTest(value),
                self.assertRaises(language.CheckError) as caught,
                self.assertNoLogs("oslo_policy"),
            ):
                language.parse(value, NAMES)
            [problem, *_others] = caught.exception.problems
            self.assertIn(words, f"{problem.message} {problem.remedy}")

    def test_all_problems_are_found_once(self) -> None:
        for value, count in (
            ("role:a || Role:b or guest", 3),
            ("role: member or role: reader", 2),
            ("role:member, role:manager", 1),
            ("role == admin", 1),
            ("(role:a && role:b", 2),
        ):
            with (
                self.subTest(value),
                self.assertRaises(language.CheckError) as caught,
            ):
                language.parse(value, NAMES)
            self.assertEqual(count, len(caught.exception.problems))


class UngroupedTest(unittest.TestCase):
    def test_and_after_or_is_found(self) -> None:
        for text, part in (
            ("role:a or role:b and role:c", "role:b and role:c"),
            (
                "role:x and (role:a OR role:b AND not role:c or role:d)",
                "role:b AND not role:c",
            ),
            ("role:a or (role:b or role:c) and role:d", "(...) and role:d"),
        ):
            with self.subTest(text):
                self.assertEqual(part, language.ungrouped(text))

    def test_clear_checks_are_not(self) -> None:
        for text in (
            "",
            "role:a and role:b or role:c",
            "role:a or (role:b and role:c)",
            "(role:a or role:b) and role:c",
            "role:a or role:b",
        ):
            with self.subTest(text):
                self.assertIsNone(language.ungrouped(text))
        self.assertIsNone(language.ungrouped([["role:a"]]))
