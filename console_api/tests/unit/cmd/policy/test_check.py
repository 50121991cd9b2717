# SPDX-License-Identifier: Apache-2.0
import os
from unittest import mock

from console_api.tests.unit import base
from console_api.tests.unit.cmd import program
from console_api.tests.unit.cmd.policy.base import PolicyCase
from console_api.tests.unit.policy.base import INDEX, rule

_SOUND = "# Nothing differs from the defaults.\n"
_BROKEN = rule("rule:typo")
_WEAK = rule("rule:owner or rule:context_is_admin")


class CheckCase(PolicyCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "draft.yaml"
        self.enterContext(mock.patch.dict(os.environ, {"COLUMNS": "80"}))

    def check(self, text: str, *arguments: str) -> program.Outcome:
        """Check a file without a configuration."""
        self.path.write_text(text)
        return self.run_policy("check", str(self.path), *arguments)


class StatusTest(CheckCase):
    def test_status_depends_on_the_most_serious_level(self) -> None:
        for text, arguments, status in (
            (_SOUND, (), 0),
            (_SOUND, ("--strict",), 0),
            (rule("rule:project_reader_or_admin"), ("--strict",), 0),
            (_WEAK, (), 0),
            (_WEAK, ("--strict",), 1),
            (_BROKEN, (), 1),
            (rule("user_id:%(user_id)s"), (), 1),
        ):
            with self.subTest(text, arguments=arguments):
                outcome = self.check(text, *arguments)
                self.assertEqual(
                    (status, ""), (outcome.status, outcome.stderr)
                )

    def test_missing_file_is_a_usage_error(self) -> None:
        outcome = self.run_policy("check", str(self.path))
        self.assertEqual((2, ""), (outcome.status, outcome.stdout))
        self.assertEqual(
            f"{self.path}: No such file or directory.\n", outcome.stderr
        )

    def test_missing_configuration_is_one_sentence(self) -> None:
        outcome = self.run_policy("check")
        self.assertEqual((2, ""), (outcome.status, outcome.stdout))
        self.assertIn("console_api.conf does not exist", outcome.stderr)


class ReportTest(CheckCase):
    def test_report_names_place_level_rule_effect_and_remedy(self) -> None:
        column = _BROKEN.index("rule:typo") + 1
        self.assertEqual(
            f"{self.path}:1:{column}: error: {INDEX}\n"
            "    The rule references rule:typo, which is not defined.\n"
            "    Effect: The service does not start; a running one keeps its "
            "previous rules.\n"
            "    Remedy: Define it, or correct the name.\n"
            "\n"
            "Found 1 error.\n",
            self.check(_BROKEN).stdout,
        )

    def test_report_counts_levels(self) -> None:
        text = _WEAK + rule("!", "os_compute_api:os-consoles:shwo")
        self.assertIn(
            "\nFound 1 security warning, 1 warning, 1 note.\n",
            self.check(text).stdout,
        )

    def test_sound_file_has_no_findings(self) -> None:
        self.assertEqual("No findings.\n", self.check(_SOUND).stdout)

    def test_lines_fit_the_terminal(self) -> None:
        text = rule("http://host/ or role:x") + rule(
            "role:y or http://z/", "a"
        )
        for width in (60, 80):
            with (
                self.subTest(width),
                mock.patch.dict(os.environ, {"COLUMNS": str(width)}),
            ):
                for line in self.check(text).stdout.splitlines():
                    if line.startswith(" "):
                        self.assertLessEqual(len(line), width)

    def test_names_are_not_broken(self) -> None:
        with mock.patch.dict(os.environ, {"COLUMNS": "40"}):
            outcome = self.check(rule("!", "os_compute_api:os-consoles:indx"))
        self.assertIn(INDEX, outcome.stdout)


class FormatsTest(CheckCase):
    def test_names_do_not_control_the_terminal(self) -> None:
        for form in ("report", "table", "csv", "value"):
            with self.subTest(form):
                outcome = self.check(r'"\e[2Jname": "role:a"', "-f", form)
                self.assertNotIn("\x1b", outcome.stdout)
                self.assertIn(r"\x1b[2Jname", outcome.stdout)

    def test_json_has_all_columns(self) -> None:
        [found] = self.check(_BROKEN, "-f", "json").json
        self.assertEqual(
            (str(self.path), 1, "error", INDEX),
            (found["file"], found["line"], found["level"], found["rule"]),
        )
        self.assertEqual(
            {"column", "consequence", "message", "remedy"},
            found.keys() - {"file", "line", "level", "rule"},
        )

    def test_columns_can_be_chosen(self) -> None:
        outcome = self.check(
            _BROKEN,
            "-f",
            "csv",
            "-c",
            "line",
            "-c",
            "level",
            "--quote",
            "none",
        )
        self.assertEqual(["line,level", "1,error"], outcome.stdout.split())


class ConfigurationTest(CheckCase):
    def test_files_of_the_configuration_are_checked(self) -> None:
        base.write_conf(self.folder)
        (self.folder / "policy.yaml").write_text(_BROKEN)
        outcome = self.run_policy("check")
        self.assertEqual(1, outcome.status)
        self.assertIn(f"{self.folder}/policy.yaml:1:", outcome.stdout)
