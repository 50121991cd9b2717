# SPDX-License-Identifier: Apache-2.0
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from console_api import conf as configuration
from console_api import errors
from console_api.policy import last_good, loader
from console_api.policy.files import Contents
from console_api.policy.last_good import LastGood
from console_api.policy.loader import Loader
from console_api.tests.unit import base
from console_api.tests.unit.policy.base import INDEX, PolicyCase, rule


class LastGoodCase(PolicyCase):
    def setUp(self) -> None:
        super().setUp()
        self.place = self.folder / "run"
        self.place.mkdir(mode=0o700)
        self.enterContext(
            mock.patch.dict(
                os.environ, {last_good.ENVIRONMENT: f"{self.place}:/other"}
            )
        )
        self.path.write_text(rule("role:one"))


class CopyTest(LastGoodCase):
    def setUp(self) -> None:
        super().setUp()
        self.contents = Contents(
            {self.path: b"# \xc3\xa9\n"}, {self.directory: (1, 2)}
        )
        self.copy = LastGood(self.path)

    def replace_by_link(self, path: Path) -> None:
        path.symlink_to(path.rename(path.with_name("other")))

    def write(self, *, is_current: bool = True) -> None:
        self.copy.write(self.contents, lambda: is_current)

    def test_copy_is_read_as_written(self) -> None:
        self.assertIsNone(self.copy.read())
        self.write()
        self.assertEqual(self.contents, LastGood(self.path).read())
        self.assertIsNone(LastGood(self.folder / "other.yaml").read())
        modes = {path.stat().st_mode & 0o777 for path in self.place.iterdir()}
        self.assertEqual({0o600}, modes)

    def test_older_contents_do_not_replace_the_copy(self) -> None:
        self.write(is_current=False)
        self.assertIsNone(self.copy.read())

    def test_without_runtime_directory_there_is_no_copy(self) -> None:
        with mock.patch.dict(os.environ, {last_good.ENVIRONMENT: ""}):
            copy = LastGood(self.path)
        copy.write(self.contents, lambda: True)
        self.assertIsNone(copy.read())
        self.assertEqual([], list(self.place.iterdir()))

    def test_copy_that_others_may_write_is_not_trusted(self) -> None:
        self.write()
        [path] = self.place.glob("*.json")
        kept = path.read_text()
        spoil: Callable[[], object]
        for spoil in (
            lambda: path.chmod(0o620),
            lambda: path.chmod(0o602),
            lambda: path.write_text("{"),
            lambda: path.write_text("[]"),
            lambda: path.write_text('{"files": {"a": 1}, "directories": {}}'),
            lambda: self.replace_by_link(path),
        ):
            spoil()
            with self.assertLogs(last_good.LOG, "WARNING"):
                self.assertIsNone(self.copy.read())
            path.unlink()
            path.write_text(kept)
            path.chmod(0o600)

    def test_folder_that_cannot_be_written_is_logged(self) -> None:
        self.place.rmdir()
        with self.assertLogs(last_good.LOG, "WARNING"):
            self.write()

    def test_lock_of_another_worker_is_awaited_within_a_limit(self) -> None:
        self.write()
        [path] = self.place.glob("*.lock")
        with (
            mock.patch.object(last_good, "_INTERVAL", 0),
            path.open() as file,
            self.assertLogs(last_good.LOG, "WARNING"),
        ):
            fcntl.flock(file, fcntl.LOCK_EX)
            self.write()


class SuccessorTest(LastGoodCase):
    """A worker that starts after another one."""

    def start(self) -> Loader:
        base.write_conf(self.folder)
        return Loader(configuration.load(self.folder))

    def check(self, started: Loader) -> str:
        return str(started.enforcer.rules[INDEX])

    def test_first_worker_does_not_start_with_broken_file(self) -> None:
        self.path.write_text("a: [\n")
        with self.assertRaises(errors.ConfigurationError):
            self.start()

    def test_successor_continues_with_last_good_rules(self) -> None:
        first = self.start()
        self.edit(self.path, rule("role:two"))
        first.refresh()
        self.edit(self.path, rule("not guest"))
        first.refresh()
        with self.assertLogs(loader.LOG, "ERROR") as logs:
            second = self.start()
        self.assertIn(f"{self.path}:1", logs.output[0])
        self.assertEqual("role:two", self.check(second))
        assert first.failure
        assert second.failure
        self.assertEqual(first.failure.since, second.failure.since)
        self.assertLessEqual(second.state.loaded_at, second.failure.since)
        self.edit(self.path, rule("role:three"))
        second.refresh()
        self.assertEqual("role:three", self.check(second))
        self.assertIsNone(second.failure)

    def test_successor_keeps_rules_of_lost_files(self) -> None:
        self.directory.mkdir()
        (self.directory / "a.yaml").write_text(rule("role:two"))
        self.start()
        self.directory.rename(self.folder / "away")
        self.assertEqual("role:two", self.check(self.start()))
        self.path.unlink()
        self.assertEqual("role:two", self.check(self.start()))

    def test_successor_uses_sound_files(self) -> None:
        self.start()
        self.path.write_text(rule("role:two"))
        with self.assertNoLogs(loader.LOG, "ERROR"):
            second = self.start()
        self.assertEqual("role:two", self.check(second))

    def test_child_of_process_that_loaded_earlier_rules_uses_the_copy(
        self,
    ) -> None:
        parent = self.start()
        self.edit(self.path, rule("role:two"))
        self.start()
        self.edit(self.path, "a: [\n")
        with mock.patch.object(os, "getpid", return_value=-1):
            parent.refresh()
        self.assertEqual("role:two", self.check(parent))
        self.assertIsNotNone(parent.failure)

    def test_broken_copy_is_not_used(self) -> None:
        self.start()
        broken = Contents({self.path: rule("not guest").encode()})
        LastGood(self.path).write(broken, lambda: True)
        self.path.write_text("a: [\n")
        with self.assertRaises(errors.ConfigurationError):
            self.start()
