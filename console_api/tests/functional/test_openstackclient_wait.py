# SPDX-License-Identifier: Apache-2.0
"""``--wait``, and our commands beside those of the client."""

import socket

from console_api.tests.functional import (
    base,
    compute_api,
    configuration,
    databases,
    manage,
    openstack_command,
)
from console_api.tests.ports import free_port


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
        self.port = free_port()
        self.host = self.make_console_host(
            public_hostname="127.0.0.1",
            min_port=self.port,
            max_port=self.port,
        )
        self.server_id = self.make_server()

    def command(self, name, *arguments):
        return ("server", "console", name, self.server_id, *arguments)

    def listen(self):
        listener = socket.create_server(("127.0.0.1", self.port))
        self.addCleanup(listener.close)
        listener.settimeout(manage.TIMEOUT)
        return listener

    def test_create_waits_for_the_port_to_open(self):
        process = self.start(self.command("create", "--wait"))
        self.eventually(lambda: self.console_rows(self.server_id))
        with self.listen() as listener:
            # The command waited: the port was closed before.
            listener.accept()[0].close()
            self.assertIn("vnc+xvp", self.end(process).stdout)

    def test_create_stops_waiting_at_the_timeout(self):
        command = self.command("create", "--wait", "--timeout", "1")
        outcome = self.run_command(*command, status=1)
        self.assertIn(
            f"was created, but 127.0.0.1 port {self.port} does not accept",
            outcome.stderr,
        )
        self.assertEqual(1, len(self.console_rows(self.server_id)))

    def delete(self, *arguments):
        self.admin.post(f"/servers/{self.server_id}/consoles")
        [row] = self.console_rows(self.server_id)
        return self.command("delete", str(row.id), "--wait", *arguments)

    def test_delete_waits_for_the_port_to_close(self):
        with self.listen() as listener:
            process = self.start(self.delete())
            for _ in range(2):
                listener.accept()[0].close()
            self.assertIsNone(process.poll())
            self.assertEqual([], self.console_rows(self.server_id))
        self.end(process)

    def test_delete_stops_waiting_at_the_timeout(self):
        with self.listen():
            command = self.delete("--timeout", "1")
            outcome = self.run_command(*command, status=1)
        self.assertIn(
            f"was deleted, but 127.0.0.1 port {self.port} still accepts",
            outcome.stderr,
        )
        self.assertIn("Failed to delete 1 of 1 consoles", outcome.stderr)


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
        self.assertIn(
            "No server with the name unknown was found", outcome.stderr
        )

    def test_console_commands_of_the_client_work(self):
        show = ("console", "url", "show", compute_api.NAME, "-f", "json")
        shown = self.end(self.start(show)).json
        self.assertEqual("novnc", shown["type"])
        self.assertTrue(base.token_of(shown["url"]))
        log = self.end(
            self.start(("console", "log", "show", compute_api.NAME))
        )
        self.assertIn(compute_api.LOG, log.stdout)
