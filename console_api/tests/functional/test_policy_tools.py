# SPDX-License-Identifier: Apache-2.0
"""The command line tools of oslo.policy with our rules and policy files."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

from console_api.conf import ENVIRONMENT
from console_api.tests.functional import configuration, transcripts

INDEX = "os_compute_api:os-consoles:index"
SHOW = "os_compute_api:os-consoles:show"
CREATE = "os_compute_api:os-consoles:create"
NAMESPACE = ("--namespace", "console_api")

CHECK = Path(sys.executable).with_name("console-api-policy")

# Seconds that a run may take.
TIMEOUT = 120


class PolicyToolsTests(unittest.TestCase):
    def setUp(self):
        self.folder = configuration.temporary_folder()
        (self.folder / "console_api.conf").touch()
        self.path = self.folder / "policy.yaml"

    def run_tool(self, name, *arguments):
        """Run a tool that must not fail with a traceback."""
        done = subprocess.run(
            [Path(sys.executable).with_name(f"oslopolicy-{name}"), *arguments],
            env={**os.environ, ENVIRONMENT: str(self.folder)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        self.assertNotIn("Traceback", done.stderr)
        return done

    def add(self, name, rules):
        """Write a file of the policy directory."""
        directory = self.folder / "policy.d"
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(rules)

    def test_documented_commands_print_what_the_guide_shows(self):
        tools = set()
        for command, output, status in transcripts.replay(
            "policy/oslo-policy-tools", self.folder
        ):
            with self.subTest(command.line):
                self.assertTrue(
                    transcripts.is_as_documented(command, output), output
                )
                self.assertEqual(
                    "new oslopolicy-validator" in command.line, bool(status)
                )
            tools |= {*re.findall(r"\boslopolicy-[a-z-]+", command.line)}
        installed = Path(sys.executable).parent.glob("oslopolicy-*")
        self.assertEqual({path.name for path in installed}, tools)

    def validate(self):
        """Run the validator, which has to agree with our own program."""
        done = self.run_tool("validator", *NAMESPACE)
        check = subprocess.run(
            [CHECK, "check", "--config-dir", str(self.folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        self.assertEqual(check.returncode, done.returncode, check.stdout)
        return done

    def assert_valid(self, *warnings):
        done = self.validate()
        self.assertEqual((0, ""), (done.returncode, done.stdout), done.stderr)
        self.assertEqual(len(warnings), done.stderr.count("WARNING:"))
        for warning in warnings:
            self.assertIn(warning, done.stderr)

    def assert_invalid(self, *parts):
        done = self.validate()
        self.assertEqual(1, done.returncode)
        for part in parts:
            self.assertIn(part, done.stdout + done.stderr)

    def test_validator_accepts_sound_files(self):
        self.assert_valid()
        self.path.write_text(
            f'"{INDEX}": "rule:auditors or rule:project_reader_or_admin"\n'
            f'"{SHOW}": "!"\n'
            '"auditors": "role:auditor"\n'
        )
        self.add("10.yaml", f'"{CREATE}": "!"\n"{SHOW}": [["!"]]\n')
        self.assert_valid()

    def test_validator_refuses_what_the_service_refuses(self):
        for check, part in (
            ('"not rule:typo"', "rule:typo, which is not defined"),
            (f'"not rule:{INDEX}"', "in a circle"),
            ("off", "is a boolean"),
        ):
            with self.subTest(check):
                self.path.write_text(f'"{INDEX}": {check}\n')
                self.assert_invalid(f"{self.path}:1: {INDEX}", part)
        self.path.unlink()
        self.add("10.yaml", f'"{INDEX}": "role:"\n')
        self.assert_invalid("10.yaml:1", "Complete it.")

    def test_validator_fails_for_errors_that_the_service_accepts(self):
        self.path.write_text(f'"{INDEX}": "user_id:%(user_id)s"\n')
        self.assert_invalid(f"{self.path}:1: {INDEX}", "Invalid rules found")
        self.path.write_text("# Nothing\n")
        self.path.chmod(0o666)
        self.assert_invalid(str(self.path), "chmod")

    def test_validator_warns_of_misspelled_rules(self):
        self.path.write_text('"os_compute_api:os-consoles:indx": "!"\n')
        self.assert_valid("os_compute_api:os-consoles:indx")

    def test_validator_accepts_rules_of_other_services(self):
        self.path.write_text(
            f'"{INDEX}": "rule:project_reader_or_admin"\n'
            '"os_compute_api:servers:index": "rule:undefined"\n'
            '"identity:get_user": "malformed"\n'
        )
        self.assert_valid()
        done = self.run_tool("list-redundant", *NAMESPACE)
        self.assertEqual(0, done.returncode)
        self.assertEqual("", done.stderr)

    def test_broken_files_are_refused_by_all_tools(self):
        self.path.write_text(f'"{INDEX}": "role:"\n"{SHOW}": off\n')
        for name in ("validator", "policy-generator", "list-redundant"):
            with self.subTest(name):
                done = self.run_tool(name, *NAMESPACE)
                self.assertEqual(1, done.returncode)
                for line, rule in ((1, INDEX), (2, SHOW)):
                    self.assertIn(f"{self.path}:{line}: {rule}", done.stderr)

    def test_generated_file_is_valid_with_quotation_marks_in_checks(self):
        self.path.write_text(
            f"""\"{INDEX}": '"a":%(project_id)s or role:x'\n"""
        )
        generated = self.folder / "generated.yaml"
        self.run_tool(
            "policy-generator", *NAMESPACE, "--output-file", str(generated)
        )
        rules = yaml.safe_load(generated.read_text())
        self.assertEqual('"a":%(project_id)s or role:x', rules[INDEX])

    def test_broken_configuration_is_reported(self):
        (self.folder / "console_api.conf").write_text("[api\n")
        for name in ("validator", "policy-generator"):
            with self.subTest(name):
                done = self.run_tool(name, *NAMESPACE)
                self.assertEqual(1, done.returncode)
                self.assertIn("The configuration in", done.stderr)

    def test_redundant_rules_of_all_files_are_listed(self):
        default = "rule:project_reader_or_admin"
        self.path.write_text(f'"{INDEX}": "{default}"\n"{SHOW}": "!"\n')
        self.add("10.yaml", f'"{CREATE}": "rule:project_member_or_admin"\n')
        done = self.run_tool("list-redundant", *NAMESPACE)
        self.assertEqual(0, done.returncode)
        self.assertIn(f'"{INDEX}": "{default}"', done.stdout)
        self.assertIn(f'"{CREATE}"', done.stdout)
        self.assertNotIn(SHOW, done.stdout)

    def test_checker_decides_by_generated_policy(self):
        self.path.write_text(f'"{INDEX}": [["role:a"], ["role:b", "role:c"]]')
        generated = self.folder / "generated.yaml"
        self.run_tool(
            "policy-generator", *NAMESPACE, "--output-file", str(generated)
        )
        access = self.folder / "access.json"
        for roles, expected in (
            (["a"], {INDEX}),
            (["b", "c"], {INDEX}),
            (["member"], {SHOW}),
        ):
            access.write_text(
                json.dumps(
                    {
                        "token": {
                            "roles": [{"name": role} for role in roles],
                            "user": {"id": "a-user"},
                            "project": {"id": "a-project"},
                        }
                    }
                )
            )
            done = self.run_tool(
                "checker",
                *("--policy", str(generated), "--access", str(access)),
                *("--enforcer_config", str(self.folder / "console_api.conf")),
            )
            passed = {
                name
                for name in (INDEX, SHOW)
                if f"passed: {name}\n" in done.stdout
            }
            with self.subTest(roles):
                self.assertEqual(expected, passed)

    def test_sample_contains_all_rules(self):
        done = self.run_tool("sample-generator", *NAMESPACE)
        self.assertIn(f'#"{INDEX}": "rule:project_reader', done.stdout)

    def test_upgrade_and_conversion_keep_rules(self):
        old = self.folder / "policy.json"
        old.write_text(json.dumps({INDEX: "role:auditor", "own": "role:x"}))
        done = self.run_tool(
            "policy-upgrade", *NAMESPACE, "--policy", str(old)
        )
        self.assertIn(f"{INDEX}: role:auditor\n", done.stdout)
        self.run_tool(
            "convert-json-to-yaml",
            *NAMESPACE,
            *("--policy-file", str(old), "--output-file", str(self.path)),
        )
        self.assertIn(f'"{INDEX}": "role:auditor"', self.path.read_text())
