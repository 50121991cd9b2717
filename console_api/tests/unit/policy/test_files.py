# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from console_api import conf as configuration
from console_api import errors
from console_api.policy import files
from console_api.policy.files import PolicyFileError, PolicyFiles
from console_api.tests.unit import base
from console_api.tests.unit.policy.base import INDEX, PolicyCase, rule


class FilesCase(PolicyCase):
    def find(self, text: str = "") -> PolicyFiles:
        """Write the policy file and return the files, not loaded yet."""
        conf = base.load_conf(self.folder)
        self.path.write_text(text)
        return PolicyFiles(conf)

    def add(self, name: str, text: str) -> Path:
        """Write a file of the policy directory."""
        self.directory.mkdir(exist_ok=True)
        path = self.directory / name
        path.write_text(text)
        return path

    def check(self, found: PolicyFiles) -> str:
        """Load the files and return the check of one rule."""
        return str(found.load().rules[INDEX])

    def assertChanged(self, found: PolicyFiles, check: str) -> None:
        """Assert that a change is noticed once, and loads this check."""
        self.pass_time()
        self.assertTrue(found.have_changed())
        self.assertFalse(found.have_changed())
        self.assertEqual(check, self.check(found))


class FindTest(FilesCase):
    def test_later_files_of_the_directory_override_earlier_ones(self) -> None:
        found = self.find(rule("role:file"))
        for name, check, expected in (
            (".hidden", "[", "role:file"),
            ("20.yaml", rule("role:twenty"), "role:twenty"),
            ("10.yaml", rule("role:ten"), "role:twenty"),
        ):
            self.add(name, check)
            with self.subTest(name):
                self.pass_time()
                found.have_changed()
                self.assertEqual(expected, self.check(found))

    def test_default_policy_file_is_optional(self) -> None:
        path = base.write_conf(self.folder)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text(
            "".join(line for line in lines if "policy_file" not in line)
        )
        found = PolicyFiles(configuration.load(self.folder))
        self.assertEqual("rule:project_reader_or_admin", self.check(found))

    def test_configured_policy_file_must_exist(self) -> None:
        conf = base.load_conf(self.folder)
        self.path.unlink()
        with self.assertRaisesRegex(
            errors.ConfigurationError, r"policy_file: .*policy\.yaml"
        ):
            PolicyFiles(conf)


class LoadTest(FilesCase):
    def assertRefuses(self, path: Path) -> None:
        found = PolicyFiles(base.load_conf(self.folder))
        with self.assertRaisesRegex(PolicyFileError, str(path)):
            found.load()

    def test_malformed_policy_file_is_refused(self) -> None:
        for text in (
            b"a: [\n",
            b"just text\n",
            b"- a list\n",
            b'"a": 1\n',
            b"\xff\xfe",
        ):
            with self.subTest(text):
                self.path.write_bytes(text)
                self.assertRefuses(self.path)

    def test_file_in_place_of_policy_directory_is_refused(self) -> None:
        self.directory.touch()
        self.assertRefuses(self.directory)

    def test_directory_in_place_of_policy_file_is_refused(self) -> None:
        conf = base.load_conf(self.folder)
        self.path.unlink()
        self.path.mkdir()
        with self.assertRaisesRegex(
            PolicyFileError, "cannot be read.*directory"
        ):
            PolicyFiles(conf).load()

    def test_dangling_link_is_refused(self) -> None:
        self.directory.mkdir()
        absent = self.folder / "absent"
        link = self.directory / "one.yaml"
        link.symlink_to(absent)
        self.assertRefuses(link)
        link.unlink()
        self.directory.rmdir()
        self.directory.symlink_to(absent)
        self.assertRefuses(self.directory)


class ChangeTest(FilesCase):
    def setUp(self) -> None:
        super().setUp()
        self.found = self.find(rule("role:one"))
        self.found.load()
        self.found.have_changed()

    def test_edits_are_noticed(self) -> None:
        self.edit(self.path, rule("role:two"))
        self.assertChanged(self.found, "role:two")
        # In a directory that is created later, replaced and in place.
        path = self.add("a.yaml", rule("role:three"))
        self.assertChanged(self.found, "role:three")
        self.edit(path, rule("role:four"))
        self.assertChanged(self.found, "role:four")
        path.write_text(rule("role:another"))
        self.assertChanged(self.found, "role:another")
        path.unlink()
        self.assertChanged(self.found, "role:two")

    def test_files_are_examined_once_per_interval(self) -> None:
        with mock.patch.object(
            files, "list_files", side_effect=files.list_files
        ) as examine:
            for _ in range(3):
                self.pass_time()
                for _request in range(5):
                    self.assertFalse(self.found.have_changed())
        self.assertEqual(3, examine.call_count)

    def assertRefused(self) -> None:
        self.pass_time()
        self.assertTrue(self.found.have_changed())
        with self.assertRaises(PolicyFileError):
            self.found.load()

    def test_removed_or_emptied_policy_file_is_refused(self) -> None:
        lose: Callable[[], object]
        for lose in (
            self.path.unlink,
            lambda: self.path.symlink_to(self.folder / "absent"),
            lambda: self.edit(self.path, ""),
            lambda: self.edit(self.path, "a: ["),
            self.path.unlink,
        ):
            lose()
            self.assertRefused()
        self.edit(self.path, rule("role:two"))
        self.assertChanged(self.found, "role:two")

    def test_policy_file_with_only_a_comment_has_no_rules(self) -> None:
        self.edit(self.path, "# Nothing\n")
        self.assertChanged(self.found, "rule:project_reader_or_admin")

    def test_file_of_the_directory_may_be_removed_but_not_emptied(
        self,
    ) -> None:
        path = self.add("a.yaml", rule("role:two"))
        self.assertChanged(self.found, "role:two")
        path.write_text("")
        self.assertRefused()
        path.unlink()
        self.assertChanged(self.found, "role:one")

    def test_change_beside_dangling_link_is_refused_until_removed(
        self,
    ) -> None:
        link = self.add("a.yaml", rule("role:two"))
        self.assertChanged(self.found, "role:two")
        link.unlink()
        link.symlink_to(self.folder / "absent")
        self.assertRefused()
        self.add("b.yaml", rule("role:another"))
        self.assertRefused()
        link.unlink()
        self.assertChanged(self.found, "role:another")
