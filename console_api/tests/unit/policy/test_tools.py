# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path
from unittest import mock

import yaml

from console_api import conf as configuration
from console_api.policies import consoles
from console_api.policy import audit, tools
from console_api.policy.enforcer import get_enforcer
from console_api.policy.tools import ToolEnforcer
from console_api.tests.unit import base
from console_api.tests.unit.policy.base import INDEX, PolicyCase, rule

EXAMPLES = Path(__file__).with_name("examples.yaml")

DEFAULT = "rule:project_reader_or_admin"


class ToolsTest(PolicyCase):
    def setUp(self) -> None:
        super().setUp()
        self.elsewhere = self.folder / "elsewhere"
        self.elsewhere.mkdir()
        self.enterContext(
            mock.patch.dict(
                os.environ,
                {
                    configuration.ENVIRONMENT: str(self.folder),
                    # Searched by oslo.config.
                    "HOME": str(self.elsewhere),
                },
            )
        )
        path = base.write_conf(self.folder)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text(
            "".join(line for line in lines if "policy_file" not in line)
        )

    def read(self, text: str | None = None) -> ToolEnforcer:
        if text is not None:
            self.path.write_text(text)
        enforcer = get_enforcer()
        assert isinstance(enforcer, ToolEnforcer)
        enforcer.load_rules()
        return enforcer

    def test_rules_of_the_service_are_loaded(self) -> None:
        enforcer = self.read(rule("role:one") + rule("role:x", "other"))
        self.assertEqual("role:one", str(enforcer.rules[INDEX]))
        self.assertIn(consoles.CREATE, enforcer.rules)
        self.assertEqual({INDEX, "other"}, set(enforcer.file_rules))

    def test_files_elsewhere_are_not_read(self) -> None:
        (self.elsewhere / "policy.yaml").write_text(rule("@"))
        hidden = self.elsewhere / ".console_api"
        hidden.mkdir()
        (hidden / "policy.yaml").write_text(rule("@"))
        enforcer = self.read()
        self.assertEqual(DEFAULT, str(enforcer.rules[INDEX]))

    def test_backups_are_not_read(self) -> None:
        self.directory.mkdir()
        (self.directory / "10.yaml").write_text(rule("role:ten"))
        (self.directory / "10.yaml~").write_text(rule("@"))
        self.assertEqual("role:ten", str(self.read("#").rules[INDEX]))

    def test_broken_file_is_refused(self) -> None:
        for text in (
            "a: [\n",
            f'"{INDEX}": !\n',
            f'"{INDEX}":\n',
            rule("guest"),
        ):
            with (
                self.subTest(text),
                self.assertRaisesRegex(SystemExit, f"{self.path}:1: "),
            ):
                self.read(text)

    def test_validator_agrees_with_check(self) -> None:
        verdicts = set()
        for example in yaml.safe_load(EXAMPLES.read_text()):
            self.path.write_bytes(
                example["text"].encode(example.get("encoding", "utf-8"))
            )
            findings = audit.of_conf(configuration.load(self.folder))
            has_errors = any(e.level.label == "error" for e in findings)
            with self.subTest(example["name"]):
                self.assertEqual(not has_errors, self.is_valid())
            verdicts.add(has_errors)
        self.assertEqual({True, False}, verdicts)

    def is_valid(self) -> bool:
        """Return whether the validator succeeds."""
        try:
            return self.read().check_rules()
        except SystemExit:
            return False

    def test_malformed_rule_of_other_service_is_kept(self) -> None:
        enforcer = self.read(rule("guest", "identity:get_user"))
        self.assertEqual("!", str(enforcer.rules["identity:get_user"]))
        self.assertTrue(enforcer.check_rules())

    def test_errors_that_the_service_accepts_are_logged(self) -> None:
        enforcer = self.read(rule("user_id:%(user_id)s"))
        with self.assertLogs(tools.LOG, "WARNING") as logs:
            self.assertFalse(enforcer.check_rules())
        self.assertIn(f"{self.path}:1: {INDEX}: ", logs.output[0])
