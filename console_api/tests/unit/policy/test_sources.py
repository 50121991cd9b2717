# SPDX-License-Identifier: Apache-2.0
import os
import threading

from oslo_config import cfg

from console_api import errors
from console_api.policies import consoles
from console_api.policy import sources
from console_api.tests.unit import base
from console_api.tests.unit.base import PROJECT
from console_api.tests.unit.policy.base import INDEX, caller, rule

AUDITOR = rule("role:auditor")


class SourceCase(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "policy.yaml"
        self.directory = self.folder / "policy.d"

    def configure(self, text: str = "") -> cfg.ConfigOpts:
        """Write a configuration and its policy file."""
        conf = base.load_conf(self.folder)
        self.path.write_text(text)
        return conf

    def check_of(self, source: sources.Source) -> str:
        """Return the check of the rule for listing consoles."""
        return str(source.checks[INDEX])


class LoadTest(SourceCase):
    def test_defaults_need_no_file(self) -> None:
        source = sources.load("defaults")
        self.assertEqual("rule:project_reader_or_admin", self.check_of(source))
        self.assertEqual("default", source.place(INDEX))

    def test_file_is_read_without_configuration(self) -> None:
        self.path.write_text(f"# comment\n{AUDITOR}")
        source = sources.load(str(self.path))
        self.assertEqual("role:auditor", self.check_of(source))
        self.assertEqual(f"{self.path}:2", source.place(INDEX))
        self.assertEqual("default", source.place(consoles.SHOW))

    def test_file_may_be_a_pipe(self) -> None:
        os.mkfifo(self.path)
        writer = threading.Thread(target=self.path.write_text, args=[AUDITOR])
        writer.start()
        self.addCleanup(writer.join)
        source = sources.load(str(self.path))
        self.assertEqual("role:auditor", self.check_of(source))

    def test_folder_is_a_configuration(self) -> None:
        self.configure(AUDITOR)
        self.directory.mkdir()
        (self.directory / "10.yaml").write_text(rule("role:x"))
        source = sources.load(str(self.folder))
        self.assertEqual("role:x", self.check_of(source))
        self.assertEqual(f"{self.directory}/10.yaml:1", source.place(INDEX))

    def test_folder_without_configuration_is_refused(self) -> None:
        with self.assertRaises(errors.ConfigurationError):
            sources.load(str(self.folder))

    def test_missing_file_is_refused(self) -> None:
        with self.assertRaises(FileNotFoundError):
            sources.load(str(self.path))

    def test_large_file_is_refused(self) -> None:
        self.path.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
        with self.assertRaisesRegex(OSError, "exceeds"):
            sources.load(str(self.path))

    def test_broken_file_is_refused_with_findings(self) -> None:
        self.path.write_text(rule("rule:nope"))
        with self.assertRaises(sources.BrokenPolicy) as caught:
            sources.load(str(self.path))
        [finding] = caught.exception.findings
        self.assertEqual((1, INDEX), (finding.line, finding.rule))
        self.assertIn(f"{self.path}:1: {INDEX}: ", str(caught.exception))

    def test_decisions_are_those_of_the_file(self) -> None:
        self.path.write_text(AUDITOR)
        decisions = sources.load(str(self.path)).decisions()
        self.assertTrue(decisions.allows(caller("auditor"), INDEX, PROJECT))
        self.assertFalse(decisions.allows(caller("reader"), INDEX, PROJECT))

    def test_servers_have_the_time_that_the_service_gives_them(self) -> None:
        source = sources.load("defaults")
        self.assertEqual(5, source.conf.oslo_policy.remote_timeout)


class ConfigurationTest(SourceCase):
    def test_missing_policy_file_is_refused_if_configured(self) -> None:
        conf = self.configure()
        self.path.unlink()
        with self.assertRaisesRegex(sources.BrokenPolicy, "does not exist"):
            sources.of_conf(conf)

    def test_unreadable_policy_file_is_refused(self) -> None:
        conf = self.configure()
        self.path.unlink()
        self.path.mkdir()
        with self.assertRaisesRegex(sources.BrokenPolicy, "cannot be read"):
            sources.of_conf(conf)

    def test_pending_file_replaces_the_policy_file_only(self) -> None:
        conf = self.configure(AUDITOR + rule("role:a", consoles.CREATE))
        self.directory.mkdir()
        (self.directory / "10.yaml").write_text(rule("role:d", consoles.SHOW))
        pending = self.folder / "pending.yaml"
        pending.write_text(rule("role:b") + rule("role:e", consoles.SHOW))
        source = sources.with_pending(conf, pending)
        self.assertEqual("role:b", self.check_of(source))
        self.assertEqual("role:d", str(source.checks[consoles.SHOW]))
        self.assertEqual("default", source.place(consoles.CREATE))
        self.assertEqual(f"{pending}:1", source.place(INDEX))
