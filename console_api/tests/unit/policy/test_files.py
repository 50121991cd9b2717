# SPDX-License-Identifier: Apache-2.0
"""How long rules and decisions are in force."""

from collections.abc import Callable
from unittest import mock

from console_api.policy import enforcer as policy
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT
from console_api.tests.unit.policy.test_enforcer import (
    CREATE,
    INDEX,
    TOKENS,
    PolicyCase,
)


class EditsTest(PolicyCase):
    def may(self, enforcer: policy.Enforcer, role: str) -> bool:
        return enforcer.allows(self.caller(role), INDEX, PROJECT)

    def test_an_edit_counts_when_the_file_is_looked_at_next(self) -> None:
        enforcer = self.load(f'"{INDEX}": "role:one"\n')
        self.assertTrue(self.may(enforcer, "one"))
        self.edit(self.path, f'"{INDEX}": "role:two"\n')
        self.assertFalse(self.may(enforcer, "one"))
        self.assertTrue(self.may(enforcer, "two"))

    def test_a_file_added_to_the_policy_folder_counts(self) -> None:
        (self.folder / "policy.d").mkdir()
        enforcer = self.load()
        self.assertFalse(self.may(enforcer, "one"))
        added = self.folder / "policy.d" / "one.yaml"
        self.edit(added, f'"{INDEX}": "role:one"\n')
        self.assertTrue(self.may(enforcer, "one"))
        self.edit(added, f'"{INDEX}": "role:two"\n')
        self.assertFalse(self.may(enforcer, "one"))
        added.unlink()
        self.pass_time()
        self.assertFalse(self.may(enforcer, "two"))

    def test_an_edit_in_place_counts_in_the_policy_folder_too(self) -> None:
        folder = self.folder / "policy.d"
        folder.mkdir()
        path = folder / "one.yaml"
        path.write_text(f'"{INDEX}": "role:one"\n')
        enforcer = self.load()
        self.assertTrue(self.may(enforcer, "one"))
        path.write_text(f'"{INDEX}": "role:another"\n')
        self.pass_time()
        self.assertFalse(self.may(enforcer, "one"))
        self.assertTrue(self.may(enforcer, "another"))

    def test_a_policy_folder_made_later_counts(self) -> None:
        enforcer = self.load()
        self.assertFalse(self.may(enforcer, "one"))
        folder = self.folder / "policy.d"
        folder.mkdir()
        self.edit(folder / "one.yaml", f'"{INDEX}": "role:one"\n')
        self.assertTrue(self.may(enforcer, "one"))

    def test_a_faulty_edit_changes_nothing_and_is_logged_once(self) -> None:
        enforcer = self.load(f'"{INDEX}": "role:one"\n')
        with self.assertLogs(policy.LOG, "ERROR") as logs:
            self.edit(self.path, "a: [\n")
            for _ in range(3):
                self.pass_time()
                self.assertTrue(self.may(enforcer, "one"))
                self.assertFalse(self.may(enforcer, "two"))
        self.assertEqual(1, len(logs.records))
        self.assertIn("stay in force", logs.output[0])
        self.edit(self.path, f'"{INDEX}": "role:two"\n')
        self.assertTrue(self.may(enforcer, "two"))

    def assertStays(self, enforcer: policy.Enforcer, role: str) -> None:
        """Check that the rules stay, and that this is said once."""
        with self.assertLogs(policy.LOG, "ERROR") as logs:
            for _ in range(3):
                self.pass_time()
                self.assertTrue(self.may(enforcer, role))
                self.assertFalse(self.may(enforcer, "reader"))
        self.assertEqual(1, len(logs.records))
        self.assertIn("stay in force", logs.output[0])

    def test_a_policy_file_that_is_lost_leaves_its_rules_in_force(
        self,
    ) -> None:
        enforcer = self.load(f'"{INDEX}": "role:one"\n')
        lose: Callable[[], object]
        for lose in (
            self.path.unlink,
            lambda: self.path.symlink_to(self.folder / "absent"),
            lambda: self.edit(self.path, ""),
            lambda: self.edit(self.path, "a: ["),
            self.path.unlink,
        ):
            lose()
            self.assertStays(enforcer, "one")
        self.edit(self.path, f'"{INDEX}": "role:two"\n')
        self.assertTrue(self.may(enforcer, "two"))
        self.assertFalse(self.may(enforcer, "one"))

    def test_a_file_that_says_that_it_has_no_rules_is_believed(self) -> None:
        enforcer = self.load(f'"{INDEX}": "role:one"\n')
        self.edit(self.path, "# Nothing\n")
        self.assertTrue(self.may(enforcer, "reader"))

    def test_a_file_of_the_folder_that_is_emptied_leaves_its_rules(
        self,
    ) -> None:
        added = self.folder / "policy.d" / "one.yaml"
        added.parent.mkdir()
        added.write_text(f'"{INDEX}": "role:one"\n')
        enforcer = self.load()
        added.write_text("")
        self.assertStays(enforcer, "one")
        added.unlink()
        self.pass_time()
        self.assertTrue(self.may(enforcer, "reader"))

    def test_a_dangling_link_does_not_hide_its_neighbours(self) -> None:
        folder = self.folder / "policy.d"
        folder.mkdir()
        (folder / "one.yaml").write_text(f'"{INDEX}": "role:one"\n')
        enforcer = self.load()
        link = folder / "a-link.yaml"
        link.symlink_to(self.folder / "absent")
        self.assertStays(enforcer, "one")
        (folder / "one.yaml").write_text(f'"{INDEX}": "role:another"\n')
        self.assertStays(enforcer, "one")
        link.unlink()
        self.pass_time()
        self.assertTrue(self.may(enforcer, "another"))

    def test_the_files_are_looked_at_once_in_a_while(self) -> None:
        enforcer = self.load()
        with mock.patch.object(
            policy, "_fingerprint", side_effect=policy._fingerprint
        ) as look:
            for _ in range(3):
                for _request in range(5):
                    self.may(enforcer, "reader")
                self.pass_time()
        self.assertEqual(3, look.call_count)

    def test_without_an_edit_no_file_is_read_again(self) -> None:
        enforcer = self.load()
        with mock.patch.object(
            enforcer, "_load", side_effect=enforcer._load
        ) as load:
            for role in ("one", "two", "reader"):
                self.pass_time()
                self.may(enforcer, role)
            load.assert_not_called()
            self.edit(self.path, '"a": "@"\n')
            self.may(enforcer, "one")
            load.assert_called_once()


class DecisionsTest(PolicyCase):
    def count(self, rule: str) -> int:
        """Count how often a rule is decided in two requests alike."""
        enforcer = self.load(f'"{INDEX}": "{rule}"\n')
        with mock.patch.object(
            policy, "_decide", side_effect=policy._decide
        ) as decide:
            for _ in range(2):
                enforcer.allows(self.caller("member"), INDEX, PROJECT)
        return decide.call_count

    def test_a_decision_is_remembered_if_it_cannot_change(self) -> None:
        for rule in (
            "@",
            "!",
            "role:member",
            "not role:member",
            "role:member and rule:owner or project_id:%(project_id)s",
        ):
            with self.subTest(rule):
                self.assertEqual(1, self.count(rule))

    def test_a_decision_that_others_make_is_asked_for_each_time(self) -> None:
        for rule in (
            "http://127.0.0.1:0/",
            "role:nobody or http://127.0.0.1:0/",
            "not (role:member and http://127.0.0.1:0/)",
        ):
            with (
                self.subTest(rule),
                mock.patch(
                    "oslo_policy._external.HttpCheck.__call__",
                    return_value=True,
                ),
            ):
                self.assertEqual(2, self.count(rule))

    def test_who_asks_for_what_makes_a_difference(self) -> None:
        enforcer = self.load()
        allows = enforcer.allows
        self.assertTrue(allows(self.caller("member"), CREATE, PROJECT))
        for caller, rule, project in (
            (self.caller("reader"), CREATE, PROJECT),
            (self.caller("member", project="x"), CREATE, PROJECT),
            (self.caller("member"), TOKENS, PROJECT),
            (self.caller("member"), CREATE, OTHER_PROJECT),
            (
                self.caller("member", project=None, system_scope="all"),
                CREATE,
                PROJECT,
            ),
        ):
            with self.subTest(caller=caller, rule=rule, project=project):
                self.assertFalse(allows(caller, rule, project))

    def test_memory_is_bounded(self) -> None:
        enforcer = self.load()
        with mock.patch.object(policy, "_MAX_DECISIONS", 3):
            for number in range(10):
                enforcer.allows(self.caller("member"), INDEX, str(number))
                self.assertLessEqual(len(enforcer._rules.decisions), 3)
