# SPDX-License-Identifier: Apache-2.0
import importlib.metadata
import logging
import sqlite3
from unittest import mock

from console_api import conf as configuration
from console_api.cmd.manage import app
from console_api.db import servers
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER
from console_api.tests.unit.cmd.manage.base import ManageCase, run


class HelpTest(ManageCase):
    def test_help_lists_every_command(self) -> None:
        text = self.manage("--help").stdout
        names = {
            entry.name.replace("_", " ")
            for entry in importlib.metadata.entry_points(group=app.NAMESPACE)
        }
        self.assertEqual(18, len(names))
        for name in names:
            with self.subTest(name):
                self.assertRegex(text, rf"\n  {name} +[A-Z]")

    def test_help_of_a_command_is_shown_after_and_before_it(self) -> None:
        for arguments in (("--help", "server"), ("server",)):
            with self.subTest(arguments=arguments):
                text = self.manage(*arguments, "set", "--help").stdout
                self.assertIn("console-api-manage server set", text)
                self.assertIn("--no-compute-host", text)

    def test_help_needs_no_configuration(self) -> None:
        outcome = run(self.folder / "absent", "--help")
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))


class CommandLineTest(ManageCase):
    def test_missing_command_is_refused_with_a_hint(self) -> None:
        outcome = self.run_manage()
        self.assertEqual(2, outcome.status)
        self.assertIn("a command is required", outcome.stderr)

    def test_unknown_command_is_refused_with_similar_ones(self) -> None:
        outcome = self.assertRefused(
            "Unknown command: sever list.", "sever", "list", status=2
        )
        self.assertIn("Similar commands: server list", outcome.stderr)
        outcome = self.assertRefused("Unknown command: foo.", "foo", status=2)
        self.assertNotIn("Similar", outcome.stderr)

    def test_abbreviated_command_is_refused_with_full_name(self) -> None:
        self.add_server()
        for arguments, name in (
            (("server", "d", SERVER), "server delete"),
            (("s", "d", SERVER), "server delete"),
            (("serve", "delete", SERVER), "server delete"),
            (("d", "s"), "db sync"),
            (("keys", "rotat"), "keys rotate"),
            (("purg",), "purge"),
        ):
            with self.subTest(arguments):
                outcome = self.assertRefused(
                    f"Unknown command: {' '.join(arguments)}.",
                    *arguments,
                    status=2,
                )
                self.assertIn(f"Similar commands: {name}. To", outcome.stderr)
        self.assertIn(SERVER, self.manage("server", "list").stdout)

    def test_options_of_commands_cannot_be_abbreviated(self) -> None:
        self.add_server()
        self.assertRefused(
            "--no-compute",
            *("server", "set", SERVER, "--no-compute"),
            status=2,
        )

    def test_unknown_option_is_refused(self) -> None:
        self.assertRefused("--nope", "server", "list", "--nope", status=2)

    def test_global_options_cannot_be_abbreviated(self) -> None:
        self.assertRefused("--deb", "server", "list", "--deb", status=2)

    def test_config_dir_after_the_command_overrides_others(self) -> None:
        with mock.patch.dict("os.environ", {configuration.ENVIRONMENT: "/no"}):
            outcome = run(
                self.folder / "no",
                *("server", "list", "--config-dir", str(self.folder)),
            )
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))


class EnvironmentTest(ManageCase):
    def test_missing_configuration_file_is_named(self) -> None:
        outcome = run(self.folder / "no", "server", "list")
        self.assertEqual(1, outcome.status)
        self.assertIn("/no/console_api.conf does not exist", outcome.stderr)

    def test_outdated_schema_is_refused_by_every_command(self) -> None:
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

    def test_unavailable_database_is_reported_with_its_cause(self) -> None:
        absent = self.folder / "absent" / "x.sqlite"
        base.write_conf(
            self.folder,
            {"database": {"connection": f"sqlite:///{absent}"}},
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


class OutputTest(ManageCase):
    def test_sql_statements_are_never_logged(self) -> None:
        log = self.folder / "log"
        outcome = self.run_manage(
            *("-vv", "--debug", "--log-file", str(log)),
            *("server", "create", "visible-name", "--project", "p"),
        )
        self.assertEqual(0, outcome.status)
        self.assertNotIn("visible-name", outcome.stderr)
        self.assertNotIn("visible-name", log.read_text())

    def test_closed_pipe_exits_141_without_a_message(self) -> None:
        with mock.patch.object(
            servers, "list_page", side_effect=BrokenPipeError
        ):
            outcome = self.run_manage("server", "list", "-f", "json")
        self.assertEqual((141, ""), (outcome.status, outcome.stderr))

    def test_helpers_of_tests_restore_logging(self) -> None:
        before = list(logging.getLogger().handlers)
        self.manage("server", "list")
        self.assertEqual(before, logging.getLogger().handlers)
