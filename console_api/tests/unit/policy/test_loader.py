# SPDX-License-Identifier: Apache-2.0
import errno
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from console_api import errors
from console_api.policy import changes, check, loader
from console_api.policy.findings import Level
from console_api.policy.loader import Loader
from console_api.tests import waiting
from console_api.tests.unit import base
from console_api.tests.unit.policy.base import INDEX, PolicyCase, rule

DEFAULT = "rule:project_reader_or_admin"


class LoaderCase(PolicyCase):
    def setUp(self) -> None:
        super().setUp()
        self.path.write_text(rule("role:one"))

    def start(self) -> None:
        """Load the files."""
        self.loader = Loader(base.load_conf(self.folder))

    def add(self, name: str, text: str) -> Path:
        """Write a file of the policy directory."""
        self.directory.mkdir(exist_ok=True)
        path = self.directory / name
        path.write_text(text)
        return path

    def check(self) -> str:
        """Return the check of a rule, after time passed."""
        self.pass_time()
        self.loader.refresh()
        return str(self.loader.enforcer.rules[INDEX])

    def assertRefused(self, path: Path, check: str = "role:one") -> None:
        """Assert that the files are refused and the previous rules stay."""
        with self.assertLogs(loader.LOG, "ERROR") as logs:
            self.assertEqual(check, self.check())
        self.assertIn(str(path), logs.output[0])
        self.assertIn("The previous rules stay in force.", logs.output[0])


class StartTest(LoaderCase):
    def test_broken_file_is_refused(self) -> None:
        for text in ("a: [\n", rule("not guest"), f'"{INDEX}":\n'):
            self.path.write_text(text)
            with (
                self.subTest(text),
                self.assertRaisesRegex(
                    errors.ConfigurationError, f"{self.path}:1: "
                ),
            ):
                self.start()

    def test_file_that_cannot_be_read_is_refused(self) -> None:
        self.path.unlink()
        os.mkfifo(self.path)
        with self.assertRaisesRegex(errors.ConfigurationError, "special"):
            self.start()

    def test_message_is_short(self) -> None:
        self.path.write_text(
            "".join(f"{'x' * 1000}{n}: 1\n" for n in range(1000))
        )
        with self.assertRaises(errors.ConfigurationError) as caught:
            self.start()
        self.assertLess(len(str(caught.exception)), 3000)
        self.assertIn("995 more", str(caught.exception))

    def test_findings_are_logged(self) -> None:
        self.path.write_text(rule("@"))
        with self.assertLogs(loader.LOG, "WARNING") as logs:
            self.start()
        self.assertIn(f"{self.path}:1: {INDEX}: ", logs.output[0])

    def test_serious_findings_are_logged_first(self) -> None:
        unused = "".join(rule("role:a", f"unused{n}") for n in range(30))
        self.path.write_text(unused + rule("@"))
        with self.assertLogs(loader.LOG, "WARNING") as logs:
            self.start()
        self.assertIn("lets everyone pass", logs.output[0])
        self.assertLess(len(logs.output), 30)

    def test_difference_to_defaults_is_logged(self) -> None:
        self.path.write_text(rule(f"{DEFAULT} or role:one"))
        with self.assertLogs(changes.LOG, "INFO") as logs:
            self.start()
            self.check()
        [line] = logs.output
        self.assertIn("Compared with the defaults, these callers gain", line)
        self.assertIn("role one", line)
        self.assertNotIn("reader", line)

    def test_later_files_override_earlier_ones(self) -> None:
        self.add("20.yaml", rule("role:twenty"))
        self.add("10.yaml", rule("role:ten"))
        self.start()
        self.assertEqual("role:twenty", self.check())

    def test_unknown_rule_is_not_in_the_rules(self) -> None:
        self.path.write_text(rule("@", "default") + rule("rule:default"))
        self.start()
        with self.assertRaises(KeyError):
            self.loader.enforcer.rules["unknown"]


class ReloadTest(LoaderCase):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_edits_take_effect(self) -> None:
        with self.assertLogs("console_api.policy", "INFO") as logs:
            self.edit(self.path, rule("role:two"))
            self.assertEqual("role:two", self.check())
        self.assertIn("Reloaded the policy files.", logs.output[0])
        for verb, role in (("gain", "two"), ("lose", "one")):
            expected = (
                f"Compared with the previous rules, these callers {verb} "
                f"{INDEX} in their own project: role {role}."
            )
            self.assertIn(expected, "".join(logs.output))
        # In a directory that is created later, replaced and in place.
        path = self.add("a.yaml", rule("role:three"))
        self.assertEqual("role:three", self.check())
        self.edit(path, rule("role:four"))
        self.assertEqual("role:four", self.check())
        path.write_text(rule("role:five"))
        self.assertEqual("role:five", self.check())
        path.unlink()
        self.assertEqual("role:two", self.check())

    def test_files_are_examined_once_per_interval(self) -> None:
        files = self.loader._files
        with mock.patch.object(
            files, "stamps", side_effect=files.stamps
        ) as examine:
            for _ in range(3):
                self.pass_time()
                for _request in range(5):
                    self.loader.refresh()
        self.assertEqual(3, examine.call_count)

    def test_broken_edit_is_logged_once_and_rules_stay(self) -> None:
        self.edit(self.path, "a: [\n")
        self.assertRefused(self.path)
        with self.assertNoLogs(loader.LOG, "ERROR"):
            self.assertEqual("role:one", self.check())
        self.edit(self.path, rule("role:two"))
        self.assertEqual("role:two", self.check())

    def test_failure_is_shown_until_it_is_corrected(self) -> None:
        self.assertIsNone(self.loader.failure)
        self.edit(self.path, "a: [\n")
        self.check()
        failure = self.loader.failure
        assert failure is not None
        self.assertIn(f"{self.path}:1", failure.lines[0])
        edited_at = datetime.fromtimestamp(self.path.stat().st_ctime, UTC)
        self.assertEqual(edited_at, failure.since)
        self.assertEqual({Level.BROKEN: 1}, self.loader.state.findings)
        self.edit(self.path, "b: [\n")
        self.check()
        assert self.loader.failure is not None
        self.assertEqual(failure.since, self.loader.failure.since)
        self.edit(self.path, rule("role:two"))
        self.check()
        self.assertIsNone(self.loader.failure)

    def test_failure_is_over_when_the_previous_file_returns(self) -> None:
        kept = self.path.rename(self.folder / "kept")
        self.assertRefused(self.path)
        kept.rename(self.path)
        self.check()
        self.assertIsNone(self.loader.failure)

    def test_broken_edit_logs_few_short_lines(self) -> None:
        self.edit(
            self.path, "".join(f"{'x' * 1000}{n}: 1\n" for n in range(1000))
        )
        with self.assertLogs(loader.LOG, "ERROR") as logs:
            self.check()
        self.assertLess(len(logs.output), 10)
        for line in logs.output:
            self.assertLess(len(line), 500)

    def test_read_errors_are_retried(self) -> None:
        self.path.write_text(rule("role:two"))
        error = OSError(errno.EMFILE, "Too many open files")
        with mock.patch("os.open", side_effect=error):
            self.assertRefused(self.path)
            with self.assertNoLogs(loader.LOG, "ERROR"):
                self.assertEqual("role:one", self.check())
        self.assertEqual("role:two", self.check())

    def test_same_warning_is_logged_once(self) -> None:
        self.edit(self.path, rule("@"))
        with self.assertLogs(loader.LOG, "WARNING"):
            self.check()
        self.edit(self.path, rule("@") + "# Comment\n")
        with self.assertNoLogs(loader.LOG, "WARNING"):
            self.check()

    def test_bug_leaves_rules_in_force(self) -> None:
        self.edit(self.path, rule("role:two"))
        with (
            mock.patch.object(
                check, "check", side_effect=RuntimeError("a bug")
            ),
            self.assertLogs(loader.LOG, "ERROR"),
        ):
            self.assertEqual("role:one", self.check())
        self.edit(self.path, rule("role:three"))
        self.assertEqual("role:three", self.check())


class LostFilesTest(LoaderCase):
    def test_removed_or_emptied_policy_file_is_refused(self) -> None:
        self.start()
        lose: Callable[[], object]
        for lose in (
            self.path.unlink,
            lambda: self.path.symlink_to(self.folder / "absent"),
            lambda: self.edit(self.path, ""),
            lambda: self.edit(self.path, "a: ["),
            lambda: self.edit(self.path, " \n\n"),
            lambda: self.edit(self.path, "a: ["),
            self.path.unlink,
        ):
            lose()
            self.assertRefused(self.path)
        self.edit(self.path, rule("role:two"))
        self.assertEqual("role:two", self.check())

    def test_policy_file_with_only_a_comment_has_no_rules(self) -> None:
        self.start()
        self.edit(self.path, "# Nothing\n")
        self.assertEqual(DEFAULT, self.check())

    def test_file_of_the_directory_may_be_removed_but_not_emptied(
        self,
    ) -> None:
        path = self.add("a.yaml", rule("role:two"))
        self.start()
        path.write_text("\n")
        self.assertRefused(path, "role:two")
        path.unlink()
        self.assertEqual("role:one", self.check())

    def test_lost_directory_keeps_its_rules(self) -> None:
        self.add("a.yaml", rule("role:two"))
        self.start()
        away = self.folder / "away"
        self.directory.rename(away)
        self.assertRefused(self.directory, "role:two")
        # The mount point of a file system that is not mounted.
        self.directory.mkdir()
        self.assertEqual("role:two", self.check())
        self.assertIsNotNone(self.loader.failure)
        self.directory.rmdir()
        away.rename(self.directory)
        self.assertEqual("role:two", self.check())
        self.assertIsNone(self.loader.failure)

    def test_replaced_directory_takes_effect(self) -> None:
        self.add("a.yaml", rule("role:two"))
        self.start()
        self.directory.rename(self.folder / "away")
        self.add("b.yaml", rule("role:three"))
        self.assertEqual("role:three", self.check())


class ThreadTest(LoaderCase):
    def setUp(self) -> None:
        super().setUp()
        self.start()
        self.may_read = threading.Event()
        self.addCleanup(self.may_read.set)
        read = self.loader._files.read

        def wait_and_read() -> object:
            found = read()
            self.assertTrue(self.may_read.wait(waiting.TIMEOUT))
            return found

        self.enterContext(
            mock.patch.object(self.loader._files, "read", wait_and_read)
        )
        self.enterContext(mock.patch.object(loader, "LOAD_TIMEOUT", 0))

    def test_requests_do_not_wait_for_slow_load(self) -> None:
        self.edit(self.path, rule("role:two"))
        for _ in range(3):
            self.assertEqual("role:one", self.check())
        self.may_read.set()
        waiting.wait_until(lambda: self.check() == "role:two")

    def test_earlier_load_does_not_replace_later_one(self) -> None:
        self.edit(self.path, rule("role:two"))
        self.check()
        self.edit(self.path, rule("role:three"))
        self.check()
        self.may_read.set()
        waiting.wait_until(lambda: self.check() == "role:three")
        waiting.wait_until(lambda: not self.loader._lock.locked())
        self.assertEqual("role:three", self.check())

    def test_load_that_does_not_end_is_reported(self) -> None:
        self.edit(self.path, rule("role:two"))
        self.check()
        self.assertIsNone(self.loader.failure)
        self.now += 61
        with self.assertLogs(loader.LOG, "ERROR"):
            self.check()
        self.assertIsNotNone(self.loader.failure)
        with self.assertNoLogs(loader.LOG, "ERROR"):
            self.check()
        # Requests while the changes are logged do not report it again.
        self.enterContext(
            mock.patch.object(
                changes, "log", side_effect=lambda *_: self.check()
            )
        )
        self.may_read.set()
        waiting.wait_until(lambda: self.check() == "role:two")
        waiting.wait_until(lambda: self.loader.failure is None)

    def test_thread_that_cannot_be_started_is_retried(self) -> None:
        self.may_read.set()
        self.edit(self.path, rule("role:two"))
        with (
            mock.patch.object(
                threading.Thread, "start", side_effect=RuntimeError("limit")
            ),
            self.assertLogs(loader.LOG, "ERROR"),
        ):
            self.assertEqual("role:one", self.check())
        waiting.wait_until(lambda: self.check() == "role:two")
