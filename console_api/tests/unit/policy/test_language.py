# SPDX-License-Identifier: Apache-2.0
import unittest
from typing import TYPE_CHECKING

from console_api.policy import language

if TYPE_CHECKING:
    from console_api.policy.reader import CheckValue

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
            ('"quoted"', "not a check"),
            ("'role:a'", "kind of check"),
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
            self.assertIn(
                words, f"{caught.exception} {caught.exception.remedy}"
            )
