# SPDX-License-Identifier: Apache-2.0
import importlib.metadata
import sqlite3

from console_api.cmd.manage import app
from console_api.tests.unit import base
from console_api.tests.unit.cmd.manage.base import ManageCase, run


class HelpTest(ManageCase):
    def test_help_lists_every_command(self) -> None:
        text = self.manage("--help").stdout
        names = {
            entry.name.replace("_", " ")
            for entry in importlib.metadata.entry_points(
                group=app.ManageApp.NAMESPACE
            )
        }
        self.assertEqual(19, len(names))
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
