# SPDX-License-Identifier: Apache-2.0
import importlib.metadata
import logging
import sqlite3
from unittest import mock

from console_api import conf as configuration
from console_api.cmd.manage import app
from console_api.db import servers
from console_api.tests.unit import base
from console_api.tests.unit.cmd.manage.base import ManageCase, run


class HelpTest(ManageCase):
    def test_every_command_is_listed(self) -> None:
        text = self.manage("--help").stdout
        names = {
            entry.name.replace("_", " ")
            for entry in importlib.metadata.entry_points(group=app.NAMESPACE)
        }
        self.assertEqual(17, len(names))
        for name in names:
            with self.subTest(name):
                self.assertRegex(text, rf"\n  {name} +[A-Z]")

    def test_help_after_a_command_is_that_of_the_command(self) -> None:
        for arguments in (("--help", "server"), ("server",)):
            with self.subTest(arguments=arguments):
                text = self.manage(*arguments, "set", "--help").stdout
                self.assertIn("console-api-manage server set", text)
                self.assertIn("--no-compute-host", text)

    def test_it_needs_no_configuration(self) -> None:
        outcome = run(self.folder / "absent", "--help")
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))


class CommandLineTest(ManageCase):
    def test_without_a_command_it_says_where_they_are_listed(self) -> None:
        outcome = self.run_manage()
        self.assertEqual(2, outcome.status)
        self.assertIn("name a command; --help lists them", outcome.stderr)

    def test_an_unknown_command_is_refused_with_those_near_it(self) -> None:
        outcome = self.assertRefused(
            "no command `sever list`", "sever", "list", status=2
        )
        self.assertIn("server list", outcome.stderr)

    def test_an_unknown_option_is_refused(self) -> None:
        self.assertRefused("--nope", "server", "list", "--nope", status=2)

    def test_options_of_a_command_are_no_short_forms_of_global_ones(
        self,
    ) -> None:
        self.assertRefused("--deb", "server", "list", "--deb", status=2)

    def test_the_folder_of_the_configuration_may_come_last(self) -> None:
        with mock.patch.dict("os.environ", {configuration.ENVIRONMENT: "/no"}):
            outcome = run(
                self.folder / "no",
                *("server", "list", "--config-dir", str(self.folder)),
            )
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))


class EnvironmentTest(ManageCase):
    def test_an_absent_configuration_is_named(self) -> None:
        outcome = run(self.folder / "no", "server", "list")
        self.assertEqual(1, outcome.status)
        self.assertIn("/no/console_api.conf is not there", outcome.stderr)

    def test_every_command_checks_the_schema_first(self) -> None:
        path = self.folder / "console_api.sqlite"
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num='0000'")
        connection.close()
        uuid = base.SERVER
        for arguments in (
            ("keys", "rotate"),
            ("server", "create", "x", "--project", "p"),
            ("server", "set", uuid, "--name", "x"),
            ("server", "list"),
            ("server", "show", uuid),
            ("server", "delete", uuid),
            ("server", "import", "x.csv"),
            ("console-host", "create", "x", "--ports", "1-2"),
            ("console-host", "set", "x", "--disable"),
            ("console-host", "list"),
            ("console-host", "delete", "x"),
            ("token", "purge"),
        ):
            with self.subTest(arguments=arguments):
                self.assertRefused("console-api-manage db sync", *arguments)

    def test_why_the_database_does_not_answer_is_told(self) -> None:
        base.write_conf(
            self.folder,
            {"database": {"connection": "sqlite:////nonexistent/x.sqlite"}},
        )
        self.assertRefused("unable to open database file", "server", "list")


class UnexpectedErrorTest(ManageCase):
    def setUp(self) -> None:
        super().setUp()
        error = KeyError("first line\nsecond line with values")
        self.enterContext(
            mock.patch.object(servers, "list_page", side_effect=error)
        )

    def test_unexpected_error_is_reported_with_its_traceback(self) -> None:
        for options in ((), ("--debug",)):
            with self.subTest(options):
                outcome = self.run_manage(*options, "server", "list")
                self.assertEqual((1, ""), (outcome.status, outcome.stdout))
                self.assertEqual(1, outcome.stderr.count("Traceback"))
                self.assertIn("in _all_servers", outcome.stderr)


class LoggingTest(ManageCase):
    def test_statements_are_never_logged(self) -> None:
        log = self.folder / "log"
        outcome = self.run_manage(
            *("-vv", "--debug", "--log-file", str(log)),
            *("server", "create", "visible-name", "--project", "p"),
        )
        self.assertEqual(0, outcome.status)
        self.assertNotIn("visible-name", outcome.stderr)
        self.assertNotIn("visible-name", log.read_text())

    def test_a_closed_output_is_no_error(self) -> None:
        with mock.patch.object(
            servers, "list_page", side_effect=BrokenPipeError
        ):
            outcome = self.run_manage("server", "list", "-f", "json")
        self.assertEqual((141, ""), (outcome.status, outcome.stderr))

    def test_these_tests_leave_logging_as_it_was(self) -> None:
        before = list(logging.getLogger().handlers)
        self.manage("server", "list")
        self.assertEqual(before, logging.getLogger().handlers)
