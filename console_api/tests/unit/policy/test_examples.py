# SPDX-License-Identifier: Apache-2.0
"""What is found in the policy files of ``examples.yaml``."""

import unittest
from pathlib import Path
from typing import Any

import yaml

from console_api.policy import check, reader
from console_api.policy.findings import Finding, Level

_EXAMPLES = Path(__file__).with_name("examples.yaml")


def examine(example: dict[str, Any]) -> list[Finding]:
    """Return the findings about the text of an example."""
    data = example["text"].encode(example.get("encoding", "utf-8"))
    return check.check([reader.read(Path("policy.yaml"), data)]).findings


def is_found(findings: list[Finding], expected: list[Any]) -> bool:
    """Return whether there is a finding of this place, with these words."""
    level, line, rule, *words = expected
    return any(
        (each.level.label, each.line, each.rule) == (level, line, rule)
        and all(
            word.lower()
            in f"{each.message} {each.consequence} {each.remedy}".lower()
            for word in words
        )
        for each in findings
    )


class ExamplesTest(unittest.TestCase):
    def test_faults_are_found_at_their_lines(self) -> None:
        for example in yaml.safe_load(_EXAMPLES.read_text()):
            findings = examine(example)
            for expected in example["findings"]:
                with self.subTest(example["name"], expected=expected):
                    self.assertTrue(is_found(findings, expected), findings)

    def test_sound_files_have_notes_at_most(self) -> None:
        for example in yaml.safe_load(_EXAMPLES.read_text()):
            if example["findings"]:
                continue
            for finding in examine(example):
                with self.subTest(example["name"], finding=finding):
                    self.assertEqual(Level.NOTE, finding.level)
                    self.assertNotRegex(
                        f"{finding} {finding.consequence}",
                        r"(?i)\b(error|warning)\b",
                    )

    def test_every_finding_says_what_happens_and_what_to_do(self) -> None:
        for example in yaml.safe_load(_EXAMPLES.read_text()):
            for finding in examine(example):
                with self.subTest(example["name"], finding=finding):
                    for sentence in (
                        finding.message,
                        finding.consequence,
                        finding.remedy,
                    ):
                        self.assertRegex(sentence, r"(?s)\A\S.*[.\"]\Z")
