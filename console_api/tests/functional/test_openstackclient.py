# SPDX-License-Identifier: Apache-2.0
"""The commands of console-api-client against a separate service."""

import importlib.metadata
import uuid

from console_api.tests.functional import base, identity, openstack_command
from console_api.tests.functional.identity import options

COMMANDS = importlib.metadata.entry_points(group="openstack.console.v2").names


class OpenStackClientCase(base.FunctionalTestCase):
    def token(self, user):
        return f"{user}:{self.project}"

    def openstack(self, *arguments, user="user", status=0):
        """Run the command as a user and return its result."""
        outcome = openstack_command.run(
            self.server, self.token(user), *arguments
        )
        self.assertEqual(status, outcome.status, outcome)
        return outcome

    def json(self, *arguments, **kwargs):
        return self.openstack(*arguments, "-f", "json", **kwargs).json

    def assert_refused(self, message, *arguments, **kwargs):
        """Assert that a command fails with nothing but a message."""
        outcome = self.openstack(*arguments, **{"status": 1, **kwargs})
        self.assertIn(message, outcome.stderr)
        self.assertNotIn("Traceback", outcome.stderr)
        self.assertEqual("", outcome.stdout.strip())


# Independent of the database.
@base.on_databases("sqlite")
class CommandTests(OpenStackClientCase):
    def test_console_is_created_listed_shown_and_deleted(self):
        server_id = self.make_server()
        host = self.make_console_host()
        console = ("server", "console")
        created = self.json(*console, "create", server_id)
        [row] = self.console_rows(server_id)
        expected = {
            "id": row.id,
            "console_type": "vnc+xvp",
            "host": f"{host}.example.org",
            "port": row.port,
        }
        self.assertEqual(expected, created)
        self.assertEqual(created, self.json(*console, "create", server_id))
        self.assertEqual(
            [{"ID": row.id, "Console Type": "vnc+xvp"}],
            self.json(*console, "list", server_id),
        )
        shown = self.json(*console, "show", server_id, "--show-password")
        self.assertEqual(8, len(shown.pop("password")))
        shown.pop("expires_at", None)
        self.assertEqual(
            {
                **expected,
                "instance_name": "instance-00000001",
                "state": "pending",
            },
            shown,
        )
        deleted = self.openstack(*console, "delete", server_id, str(row.id))
        self.assertEqual(("", ""), (deleted.stdout, deleted.stderr))
        self.assertEqual([], self.console_rows(server_id))

    def test_consoles_of_the_project_are_listed(self):
        server_id, console_id = self.make_console()
        for arguments in ((), ("--server", server_id, "--state", "pending")):
            [row] = self.json("console", "list", *arguments)
            self.assertEqual(console_id, row["ID"])
            self.assertEqual(server_id, row["Server ID"])
        self.assertEqual([], self.json("console", "list", "--state=serving"))
        [row] = [
            row
            for row in self.json(
                "console", "list", "--all-projects", "--long", user="admin"
            )
            if row["ID"] == console_id
        ]
        self.assertEqual(self.project, row["Project ID"])

    def test_password_is_printed_on_request_only(self):
        server_id, console_id = self.make_console()
        path = f"/servers/{server_id}/consoles/{console_id}"
        password = self.admin.get(path).json["console"]["password"]
        show = ("server", "console", "show", server_id)
        self.assertNotIn(password, self.openstack(*show).stdout)
        shown = self.openstack(*show, "--show-password")
        self.assertIn(f" {password} ", shown.stdout)
        traced = self.openstack("--debug", *show)
        self.assertIn(f"/servers/{server_id}/consoles", traced.stderr)
        self.assertNotIn(password, traced.stderr)

    def test_console_host_list_has_all_values(self):
        name = self.make_console_host(multiplex_port=443, last_seen_at=None)
        arguments = ("console", "host", "list")
        [found] = [
            host
            for host in self.json(*arguments, user="admin")
            if host["Host"] == name
        ]
        self.assertEqual(
            {
                "Host": name,
                "Console Type": "vnc+xvp",
                "Public Hostname": f"{name}.example.org",
                "Compute Hosts": [self.compute_host],
                "Ports": {"multiplex": 443},
                "Ports Used": 0,
                "Consoles": 0,
                "Served": None,
                "Failed": None,
                "Enabled": True,
                "State": "down",
                "Trouble": None,
                "Version": None,
                "Driver": None,
                "Last Seen At": None,
            },
            found,
        )
        text = self.openstack(*arguments, user="admin").stdout
        self.assertIn(" 443 (multiplexed) ", text)

    def test_console_host_is_disabled_and_enabled(self):
        name = self.make_console_host()
        command = ("console", "host")
        for option, enabled in (("--disable", False), ("--enable", True)):
            self.openstack(*command, "set", name, option, user="admin")
            shown = self.json(*command, "show", name, user="admin")
            self.assertEqual(enabled, shown["enabled"])
            self.assertEqual(enabled, self.console_host(name).enabled)
        self.assert_refused(
            "By default, only administrators of the cloud",
            *(*command, "set", name, "--type", "vnc+xvp", "--disable"),
        )

    def test_tokens_are_revoked(self):
        server_id = self.make_server()
        revoke = ("console", "token", "revoke")
        token = self.issue_token(server_id)
        self.openstack(*revoke, f"ws://host:6080/?token={token}")
        self.assert_refused("Token not found", *revoke, token)
        for _ in range(2):
            self.issue_token(server_id)
        self.openstack(*revoke, "--server", server_id)
        self.assertEqual(0, self.count_tokens(server_id))

    def test_unknown_servers_and_consoles_are_refused(self):
        unknown = str(uuid.uuid4())
        server_id, console_id = self.make_console()
        other_server = self.make_server()
        console = ("server", "console")
        not_found = f"Server {unknown} could not be found."
        for message, *arguments in (
            (not_found, "create", unknown),
            (
                f"Console {console_id} could not be found",
                *("show", other_server, str(console_id)),
            ),
            (
                f"Console {console_id} could not be found",
                *("delete", other_server, str(console_id)),
            ),
            ("Give the ID of the server.", "list", "web1"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_refused(message, *console, *arguments)
        self.assertEqual(1, len(self.console_rows(server_id)))

    def test_invalid_arguments_exit_2(self):
        server_id = self.make_server()
        for message, *arguments in (
            ("invalid int value: 'x'", "show", server_id, "x"),
            ("must be a whole number", "create", server_id, "--timeout=0"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_refused(
                    message, "server", "console", *arguments, status=2
                )

    def test_delete_continues_after_errors(self):
        server_id, console_id = self.make_console()
        self.assert_refused(
            "Failed to delete 2 of 3 consoles",
            *("server", "console", "delete", server_id),
            *("0", str(console_id), "999999"),
        )
        self.assertEqual([], self.console_rows(server_id))

    def test_complete_lists_the_commands(self):
        text = self.openstack("complete").stdout
        self.assertIn(
            "cmds_server_console='create delete list open password show url'",
            text,
        )
        self.assertIn("cmds_console_host='list set show'", text)

    def test_help_names_the_plugin(self):
        text = self.openstack("help", "server", "console", "create").stdout
        self.assertIn("usage: openstack server console create ", text)
        self.assertIn("--wait ", text)
        self.assertIn("console-api-client plugin", text)

    def test_no_other_plugin_has_the_same_commands(self):
        taken = [
            point.name
            for package in importlib.metadata.distributions()
            for point in package.entry_points
            if point.group.startswith("openstack.")
            and not point.value.startswith("console_api_client.")
        ]
        self.assertIn("console_url_show", taken)
        self.assertEqual(set(), COMMANDS & set(taken))

    def test_connection_show_of_the_client_works(self):
        server_id = self.make_server()
        shown = self.json(
            *("console", "connection", "show", self.issue_token(server_id)),
            user="admin",
        )
        self.assertEqual(server_id, shown["instance_uuid"])
        self.assertEqual(5900, shown["port"])


#: By persona: project (own or not), role, and the status of each command.
PERSONAS = {
    "reader": (True, "reader", (0, 1, 1, 1, 1)),
    "stranger": (False, "member", (0, 1, 1, 1, 1)),
    "admin": (False, "admin", (0, 0, 0, 0, 0)),
}


@base.on_databases("sqlite")
class PersonaTests(OpenStackClientCase):
    """With tokens of an identity service; members are tested above."""

    def choose_server(self):
        self.identity = identity.IdentityService()
        self.addCleanup(self.identity.stop)
        return self.start_server(options(self.identity.url))

    def token(self, user):
        own, role, _ = PERSONAS[user]
        project = self.project if own else uuid.uuid4().hex
        return self.identity.issue(user, project, role)

    def test_personas_may_run_their_commands(self):
        self.make_console_host()
        for user, (own, _, statuses) in PERSONAS.items():
            server_id = self.make_server()
            path = f"/servers/{server_id}/consoles"
            headers = {"X-Auth-Token": self.token("admin")}
            self.client(None).post(path, headers=headers)
            [row] = self.console_rows(server_id)
            one = (server_id, str(row.id))
            commands = (
                ("server", "console", "list", server_id),
                ("server", "console", "create", server_id),
                ("server", "console", "show", *one),
                ("server", "console", "delete", *one),
                ("console", "host", "list"),
            )
            reason = "Policy doesn't allow" if own else "could not be found"
            for command, status in zip(commands, statuses, strict=True):
                with self.subTest(user, command=command):
                    if status == 0:
                        self.openstack(*command, user=user)
                    elif command[0] == "console":
                        self.assert_refused("Policy", *command, user=user)
                    else:
                        self.assert_refused(reason, *command, user=user)
            self.assertEqual(statuses[3], len(self.console_rows(server_id)))

    def test_list_is_empty_for_other_projects(self):
        server_id = self.make_server()
        self.make_console_host()
        headers = {"X-Auth-Token": self.token("admin")}
        path = f"/servers/{server_id}/consoles"
        self.client(None).post(path, headers=headers)
        arguments = ("server", "console", "list", server_id)
        self.assertEqual([], self.json(*arguments, user="stranger"))
        self.assertEqual(1, len(self.json(*arguments, user="reader")))
