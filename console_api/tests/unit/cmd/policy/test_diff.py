# SPDX-License-Identifier: Apache-2.0
from console_api.tests.unit.cmd.policy.base import PolicyCase

SHOW = "os_compute_api:os-consoles:show"
TOKENS = "os_compute_api:os-console-auth-tokens"
HOSTS = "os_compute_api:os-console-hosts:index"


class DiffTest(PolicyCase):
    def write(self, name: str, **rules: str) -> str:
        path = self.folder / name
        path.write_text(
            "# Rules\n"
            + "".join(
                f'"{rule}": "{check}"\n' for rule, check in rules.items()
            )
        )
        return str(path)

    def test_gains_are_shown_before_losses(self) -> None:
        old = self.write("old.yaml", **{SHOW: "role:x"})
        new = self.write("new.yaml", **{SHOW: "role:y and user_id:dave"})
        outcome = self.run_policy("diff", old, new, "-f", "markdown")
        self.assertEqual(
            [
                f"| gain | {SHOW} | own | role y, user_id dave |",
                f"| loss | {SHOW} | own | role x |",
            ],
            [each for each in outcome.stdout.splitlines() if "own" in each],
        )

    def test_other_projects_are_shown_apart(self) -> None:
        new = self.write("new.yaml", **{TOKENS: "!", HOSTS: "role:reader"})
        outcome = self.run_policy("diff", "defaults", new, "-f", "json")
        found = [(c["change"], c["rule"], c["servers"]) for c in outcome.json]
        self.assertEqual(
            [
                ("gain", HOSTS, "all"),
                ("loss", TOKENS, "own"),
                ("loss", TOKENS, "other"),
                ("loss", HOSTS, "all"),
            ],
            found,
        )
        self.assertEqual(["reader"], outcome.json[0]["callers"][0]["roles"])
        self.assertTrue(outcome.json[0]["complete"])

    def test_many_callers_are_shortened(self) -> None:
        roles = " or ".join(f"role:r{n}" for n in range(50))
        new = self.write("new.yaml", **{SHOW: roles})
        table = self.run_policy("diff", "defaults", new).stdout
        self.assertIn("and others", table)
        self.assertLess(table.count("role r"), 50)

    def test_wider_policy_fails_on_request(self) -> None:
        same = self.write("same.yaml")
        wider = self.write("wider.yaml", **{SHOW: "role:reader"})
        stricter = self.write("stricter.yaml", **{SHOW: "!"})
        for new, expected in ((same, 0), (stricter, 0), (wider, 1)):
            with self.subTest(new):
                for option, status in (("--fail-if-wider", expected), ("", 0)):
                    outcome = self.run_policy(
                        "diff", *filter(None, [option]), "defaults", new
                    )
                    self.assertEqual(status, outcome.status, outcome.stderr)

    def test_texts_that_mean_the_same_do_not_differ(self) -> None:
        new = self.write(
            "new.yaml", **{SHOW: "not (not rule:project_member_or_admin)"}
        )
        outcome = self.run_policy("diff", "defaults", new)
        self.assertEqual("No one gains or loses anything.\n", outcome.stdout)
        outcome = self.run_policy("diff", "defaults", new, "-f", "json")
        self.assertEqual([], outcome.json)

    def test_names_do_not_control_the_terminal(self) -> None:
        new = self.write("new.yaml", **{SHOW: r"role:\e[2Jx"})
        for command in (
            ("diff", "defaults", new),
            ("matrix", "--policy", new),
        ):
            for form in ("table", "markdown"):
                with self.subTest(command, form=form):
                    outcome = self.run_policy(*command, "-f", form)
                    self.assertEqual(0, outcome.status, outcome.stderr)
                    self.assertNotIn("\x1b", outcome.stdout)
                    self.assertIn(r"\x1b[2jx", outcome.stdout)

    def test_what_cannot_be_decided_fails(self) -> None:
        broken = self.write("broken.yaml", **{SHOW: "rule:undefined"})
        roles = " or ".join(f"role:r{n}" for n in range(450))
        many = self.write("many.yaml", **{SHOW: roles})
        for new in (broken, many, str(self.folder / "missing.yaml")):
            with self.subTest(new):
                outcome = self.run_policy("diff", "defaults", new)
                self.assertEqual((2, ""), (outcome.status, outcome.stdout))
                self.assertNotEqual("", outcome.stderr)
