# SPDX-License-Identifier: Apache-2.0
import os
from unittest import mock

from console_api.policy import audit, sources
from console_api.policy.findings import Level
from console_api.tests.unit import base
from console_api.tests.unit.policy.base import PolicyCase, rule


class ConfigurationTest(PolicyCase):
    def test_findings_of_all_files_are_in_the_order_of_the_files(self) -> None:
        self.path.write_text("#\n" + rule("guest"))
        self.directory.mkdir()
        late = self.directory / "20.yaml"
        late.write_text(rule("guest"))
        early = self.directory / "10.yaml"
        early.write_text("a:\nb:\n")
        backup = self.directory / "10.yaml~"
        backup.touch()
        self.assertEqual(
            [(early, 1), (early, 2), (late, 1), (late, 1), (backup, None)],
            [
                (each.path, each.line)
                for each in audit.of_conf(base.load_conf(self.folder))
            ],
        )

    def test_other_files_are_checked_if_one_cannot_be_read(self) -> None:
        self.path.write_text(rule("guest"))
        self.directory.mkdir()
        special = self.directory / "10.yaml"
        os.mkfifo(special)
        found = audit.of_conf(base.load_conf(self.folder))
        self.assertEqual(
            [(self.path, Level.BROKEN), (special, Level.BROKEN)],
            [(each.path, each.level) for each in found],
        )
        self.assertIn("cannot be read", found[1].message)


class FilesTest(PolicyCase):
    def test_files_are_checked_alone(self) -> None:
        self.path.write_text(rule("guest"))
        draft = self.folder / "draft.yaml"
        draft.write_text(rule("rule:typo"))
        [finding] = audit.of_files([draft])
        self.assertEqual((draft, 1), (finding.path, finding.line))

    def test_draft_that_everyone_may_write_is_reported(self) -> None:
        self.path.write_text("# Nothing\n")
        self.path.chmod(0o666)
        [finding] = audit.of_files([self.path])
        self.assertEqual(Level.ERROR, finding.level)

    def test_file_that_is_too_large_is_refused(self) -> None:
        self.path.write_text("#" * 20)
        with (
            mock.patch.object(sources, "MAX_SIZE", 10),
            self.assertRaisesRegex(OSError, "exceeds 10 bytes"),
        ):
            audit.of_files([self.path])
