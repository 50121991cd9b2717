# SPDX-License-Identifier: Apache-2.0
import logging
from unittest import mock

from console_api import conf as configuration
from console_api.db import servers
from console_api.tests.unit.base import SERVER
from console_api.tests.unit.cmd.manage.base import ManageCase, run


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


class OutputTest(ManageCase):
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
