# SPDX-License-Identifier: Apache-2.0
"""``--wait``, and the commands of console-api-client beside others."""

from console_api.db import tables
from console_api.tests.functional import (
    base,
    compute_api,
    configuration,
    databases,
    openstack_command,
)


class OneServerCase(base.FunctionalTestCase):
    @property
    def token(self):
        """The token of a member of the test's project."""
        return f"user:{self.project}"

    def start(self, command):
        process = openstack_command.start(self.server, self.token, *command)
        self.addCleanup(process.kill)
        return process

    def end(self, process):
        outcome = openstack_command.end(process)
        self.assertEqual(0, outcome.status, outcome)
        return outcome

    def run_command(self, *arguments, status=0):
        outcome = openstack_command.run(self.server, self.token, *arguments)
        self.assertEqual(status, outcome.status, outcome)
        return outcome


@base.on_databases("sqlite")
class WaitTests(OneServerCase):
    def setUp(self):
        super().setUp()
        self.host = self.make_console_host()
        self.server_id = self.make_server()

    def command(self, *arguments):
        return ("server", "console", "create", self.server_id, *arguments)

    def report(self, revision):
        """Store what the agent reports when it serves its consoles."""
        heartbeats = tables.console_host_heartbeats
        self.database.execute(
            heartbeats.update().where(
                heartbeats.c.console_host_id == self.console_host(self.host).id
            ),
            {"served_revision": revision, "failed_count": 0},
        )

    def test_create_waits_until_the_agent_serves_the_console(self):
        process = self.start(self.command("--wait"))
        self.eventually(lambda: self.console_rows(self.server_id))
        self.assertIsNone(process.poll())
        self.report(self.console_host(self.host).revision)
        self.assertIn("vnc+xvp", self.end(process).stdout)

    def test_create_stops_waiting_at_the_timeout(self):
        command = self.command("--wait", "--timeout", "1")
        outcome = self.run_command(*command, status=1)
        self.assertIn("is not served after 1 s.", outcome.stderr)
        self.assertEqual(1, len(self.console_rows(self.server_id)))

    def test_create_refuses_to_wait_for_a_host_that_is_down(self):
        self.run_command(*self.command())
        heartbeats = tables.console_host_heartbeats
        self.database.execute(heartbeats.delete(), {})
        outcome = self.run_command(*self.command("--wait"), status=1)
        self.assertIn("is down. Ask the operator", outcome.stderr)


@base.on_databases("sqlite")
class FilterTests(OneServerCase):
    """With the compute API behind the filter, which knows servers."""

    def choose_server(self):
        self.database = configuration.migrate(databases.create(self.backend))
        return self.start_server(
            {
                "api": {"paste_config": str(compute_api.write_paste_file())},
                "filter": {"resources": "consoles,remote_consoles"},
            },
            self.database,
        )

    def setUp(self):
        super().setUp()
        self.make_server(uuid=compute_api.SERVER_ID)
        self.make_console_host()

    def test_server_is_found_by_name_or_uuid(self):
        for server in (compute_api.NAME, compute_api.SERVER_ID.upper()):
            with self.subTest(server):
                self.run_command("server", "console", "create", server)
                shown = self.run_command(
                    *("server", "console", "show", server, "-f", "json")
                ).json
                [row] = self.console_rows(compute_api.SERVER_ID)
                self.assertEqual(row.id, shown["id"])

    def test_unknown_name_is_refused(self):
        outcome = self.run_command(
            *("server", "console", "list", "unknown"), status=1
        )
        self.assertIn("No server with the name or ID unknown", outcome.stderr)

    def test_console_commands_of_the_client_work(self):
        show = ("console", "url", "show", compute_api.NAME, "-f", "json")
        shown = self.end(self.start(show)).json
        self.assertEqual("novnc", shown["type"])
        self.assertTrue(base.token_of(shown["url"]))
        log = self.end(
            self.start(("console", "log", "show", compute_api.NAME))
        )
        self.assertIn(compute_api.LOG, log.stdout)
