# SPDX-License-Identifier: Apache-2.0
import errno
import os
from pathlib import Path
from unittest import mock

from console_api import conf as configuration
from console_api.policy import files
from console_api.policy.files import PolicyFiles, ReadError, Stamps
from console_api.policy.findings import Level
from console_api.tests.unit import base
from console_api.tests.unit.policy.base import PolicyCase, rule


class FilesCase(PolicyCase):
    def setUp(self) -> None:
        super().setUp()
        self.path.write_text(rule("role:one"))

    def find(self) -> PolicyFiles:
        return PolicyFiles(base.load_conf(self.folder))

    def add(self, name: str, text: str = "# Nothing\n") -> Path:
        """Write a file of the policy directory."""
        self.directory.mkdir(exist_ok=True)
        path = self.directory / name
        path.write_text(text)
        return path


class FindTest(FilesCase):
    def without_option(self) -> PolicyFiles:
        """Return the files if ``policy_file`` is not set."""
        path = base.write_conf(self.folder)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text(
            "".join(line for line in lines if "policy_file" not in line)
        )
        return PolicyFiles(configuration.load(self.folder))

    def test_default_policy_file_is_optional(self) -> None:
        self.path.unlink()
        contents = self.without_option().read()
        self.assertEqual(({}, []), (contents.files, contents.findings))

    def test_configured_policy_file_must_exist(self) -> None:
        found = self.find()
        self.path.unlink()
        [finding] = found.read().findings
        self.assertEqual(
            (Level.BROKEN, self.path), (finding.level, finding.path)
        )
        self.assertIn("[oslo_policy] policy_file", str(finding))

    def test_policy_json_alone_is_refused(self) -> None:
        self.path.rename(self.folder / "policy.json")
        found = self.without_option()
        [finding] = found.read().findings
        self.assertEqual(Level.BROKEN, finding.level)
        self.assertIn("policy.json is not read", str(finding))

    def test_policy_yml_alone_is_refused(self) -> None:
        path = self.path.rename(self.folder / "policy.yml")
        [finding] = self.without_option().read().findings
        self.assertEqual((Level.BROKEN, path), (finding.level, finding.path))
        self.assertIn("Rename it to policy.yaml", finding.remedy)

    def test_policy_json_beside_policy_yaml_is_reported(self) -> None:
        (self.folder / "policy.json").touch()
        [finding] = self.find().read().findings
        self.assertEqual(Level.WARNING, finding.level)
        self.assertIn("policy.json is not read", finding.message)

    def test_policy_json_is_read_if_configured(self) -> None:
        path = self.folder / "policy.json"
        path.write_text("{}")
        found = PolicyFiles(
            base.load_conf(
                self.folder, {"oslo_policy": {"policy_file": "policy.json"}}
            )
        )
        contents = found.read()
        self.assertEqual(
            ({path: b"{}"}, []), (contents.files, contents.findings)
        )

    def test_directory_beside_policy_file_elsewhere_is_reported(self) -> None:
        elsewhere = self.folder / "elsewhere"
        (elsewhere / "policy.d").mkdir(parents=True)
        path = self.path.rename(elsewhere / "policy.yaml")
        found = PolicyFiles(
            base.load_conf(
                self.folder, {"oslo_policy": {"policy_file": str(path)}}
            )
        )
        [finding] = found.read().findings
        self.assertEqual(elsewhere / "policy.d", finding.path)
        self.assertIn(str(self.directory), str(finding))


class ReadTest(FilesCase):
    def assertRefuses(self, path: Path, reason: str) -> None:
        with self.assertRaises(ReadError) as caught:
            self.find().read()
        self.assertEqual(path, caught.exception.finding.path)
        self.assertIn(reason, str(caught.exception.finding))

    def test_files_are_in_order(self) -> None:
        names = ("20.yml", "10.yaml", "30.json")
        paths = [self.add(name) for name in names]
        self.assertEqual(
            [self.path, *sorted(paths)], list(self.find().read().files)
        )

    def test_other_names_are_not_read_and_reported(self) -> None:
        names = ("10.yaml~", "10.yaml.bak", "a.rpmsave", "b.yaml.orig", "c")
        paths = [self.add(name, "broken: [") for name in names]
        contents = self.find().read()
        self.assertEqual([self.path], list(contents.files))
        self.assertEqual(
            sorted((path, Level.WARNING) for path in paths),
            [(each.path, each.level) for each in contents.findings],
        )

    def test_hidden_files_are_not_read_and_noted(self) -> None:
        path = self.add(".10.yaml.swp", "broken: [")
        [finding] = self.find().read().findings
        self.assertEqual((Level.NOTE, path), (finding.level, finding.path))

    def test_directories_are_not_read_and_reported(self) -> None:
        path = self.add("a.yaml").with_name("more")
        path.mkdir()
        [finding] = self.find().read().findings
        self.assertEqual((Level.WARNING, path), (finding.level, finding.path))
        self.assertIn("directory", str(finding))

    def test_files_that_are_not_in_order_of_numbers_are_noted(self) -> None:
        self.add("9.yaml")
        path = self.add("10.yaml").with_name("9.yaml")
        self.assertEqual(
            [(Level.NOTE, path)],
            [(f.level, f.path) for f in self.find().read().findings],
        )

    def test_other_than_regular_files_are_refused(self) -> None:
        self.add("b.yaml")
        path = self.directory / "a.yaml"
        for make, reason in (
            (os.mkfifo, "special"),
            (os.mkdir, "directory"),
            (lambda link: link.symlink_to("absent"), "No such file"),
        ):
            make(path)
            with self.subTest(reason):
                self.assertRefuses(path, reason)
            path.rmdir() if path.is_dir() else path.unlink()

    def test_main_file_has_to_be_regular(self) -> None:
        found = self.find()
        self.path.unlink()
        for make in (os.mkfifo, os.mkdir):
            make(self.path)
            with (
                self.subTest(make.__name__),
                self.assertRaisesRegex(ReadError, "not a regular file"),
            ):
                found.read()
            self.path.rename(self.folder / make.__name__)

    def test_failed_reads_close_their_file(self) -> None:
        found = self.find()
        self.path.unlink()
        self.path.mkdir()
        before = list(Path("/proc/self/fd").iterdir())
        for _ in range(3):
            with self.assertRaises(ReadError):
                found.read()
        self.assertEqual(
            len(before), len(list(Path("/proc/self/fd").iterdir()))
        )

    def test_policy_directory_has_to_be_a_directory(self) -> None:
        self.directory.touch()
        self.assertRefuses(self.directory, "Not a directory")
        self.directory.unlink()
        self.directory.symlink_to("absent")
        self.assertRefuses(self.directory, "No such file")

    def test_sizes_are_limited_together(self) -> None:
        with mock.patch.object(files, "MAX_SIZE", 100):
            self.path.write_text("#" * 60)
            path = self.add("a.yaml", "#" * 40)
            self.find().read()
            path.write_text("#" * 41)
            self.assertRefuses(path, "exceed")

    def test_file_that_changes_during_the_read_is_refused(self) -> None:
        original = os.fstat

        def change(descriptor: int) -> os.stat_result:
            result = original(descriptor)
            with self.path.open("a") as file:
                file.write("#")
            return result

        with mock.patch.object(os, "fstat", change):
            self.assertRefuses(self.path, "being written")

    def test_missing_file_descriptors_are_an_error(self) -> None:
        self.add("a.yaml")
        error = OSError(errno.EMFILE, "Too many open files")
        for target in ("os.open", "pathlib.Path.iterdir"):
            with (
                self.subTest(target),
                mock.patch(target, side_effect=error),
                self.assertRaisesRegex(ReadError, "Too many"),
            ):
                self.find().read()

    def test_path_that_everyone_may_write_is_reported(self) -> None:
        self.directory.mkdir()
        for path, mode in ((self.path, 0o666), (self.directory, 0o777)):
            path.chmod(mode)
            with self.subTest(path):
                [finding] = self.find().read().findings
                self.assertEqual(
                    (Level.ERROR, path), (finding.level, finding.path)
                )
                self.assertIn(f"{mode:04o}", str(finding))
            path.chmod(mode & ~0o2)
        self.assertEqual([], self.find().read().findings)


class StampsTest(FilesCase):
    stamps: Stamps

    def assertChanges(self, found: PolicyFiles, change: object) -> None:
        """Assert that the stamps changed since the call before."""
        stamps = found.stamps()
        self.assertNotEqual(self.stamps, stamps, change)
        self.assertEqual(stamps, found.stamps())
        self.stamps = stamps

    def test_each_kind_of_change_is_noticed(self) -> None:
        found = self.find()
        self.stamps = found.stamps()
        self.path.write_text(rule("role:other"))
        self.assertChanges(found, "content")
        before = self.path.stat()
        self.path.write_text(rule("role:third"))
        os.utime(self.path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(before.st_mtime_ns, self.path.stat().st_mtime_ns)
        self.assertEqual(before.st_size, self.path.stat().st_size)
        self.assertChanges(found, "content, with size and time as before")
        self.path.chmod(0o600)
        self.assertChanges(found, "mode")
        path = self.add("a.yaml")
        self.assertChanges(found, "new directory")
        self.add("b.yaml")
        self.assertChanges(found, "new file")
        path.unlink()
        self.assertChanges(found, "removed file")
        self.directory.rename(self.folder / "away")
        self.assertChanges(found, "removed directory")
        self.path.unlink()
        self.assertChanges(found, "removed policy file")
        (self.folder / "policy.json").touch()
        self.assertChanges(found, "policy.json")
