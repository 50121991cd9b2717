# SPDX-License-Identifier: Apache-2.0
from console_api_client.tests.base import CONSOLES, CloudCase
from console_api_client.tests.cloud import OTHER, SERVER, fault


class ServerTests(CloudCase):
    def list_consoles(self, server: str) -> object:
        return self.json("server", "console", "list", server)

    def refuse(self, message: str, server: str) -> None:
        self.assert_refused(message, "server", "console", "list", server)

    def test_uuid_is_not_looked_up(self) -> None:
        self.add_consoles(7)
        for text in (SERVER, SERVER.upper()):
            self.list_consoles(text)
        self.assertEqual([f"GET {CONSOLES}"] * 2, self.cloud.requests)

    def test_name_is_looked_up_at_compute(self) -> None:
        self.add_consoles(7)
        self.list_consoles("web-1")
        self.assertEqual(f"GET {CONSOLES}", self.cloud.requests[-1])

    def test_unknown_name_is_refused_with_a_remedy(self) -> None:
        self.answers["GET compute /servers/detail?name=web-2"] = (
            200,
            {"servers": []},
        )
        self.refuse("run: openstack server list", "web-2")

    def test_ambiguous_name_is_refused_with_the_ids(self) -> None:
        self.add_servers(("web-1", SERVER), ("web-1", OTHER))
        self.refuse(
            "2 servers have the name web-1. Give the ID of one: "
            f"{SERVER}, {OTHER}",
            "web-1",
        )

    def test_endpoint_without_servers_needs_the_id(self) -> None:
        self.answers["GET compute /servers/detail?name=web-2"] = fault(
            404, "This endpoint serves consoles only."
        )
        self.refuse(
            "cannot look up the name web-2 (This endpoint serves consoles "
            "only). Give the ID of the server.",
            "web-2",
        )

    def test_names_that_are_paths_are_refused(self) -> None:
        self.answers["GET compute /servers/detail"] = (200, {"servers": []})
        self.refuse("No server with the name or ID detail", "detail")


class HelpTests(CloudCase):
    def test_help_has_an_example_for_each_command(self) -> None:
        for command in (
            *("server console create", "server console delete"),
            *("server console list", "server console open"),
            *("server console password", "server console show"),
            *("console host list", "console host set", "console host show"),
            *("console list", "console token revoke"),
            *("console lock list", "console lock set", "console lock unset"),
            *("console session delete", "console session list"),
            *("console session show", "server console url"),
        ):
            with self.subTest(command):
                text = self.openstack("help", *command.split()).stdout
                self.assertIn(f"\n\nExample: openstack {command}", text)
                self.assertIn("console-api-client plugin", text)

    def test_completion_knows_the_commands(self) -> None:
        text = self.openstack("complete").stdout
        self.assertIn(
            "cmds_server_console='create delete list open password show url'",
            text,
        )
        self.assertIn("cmds_console_host='list set show'", text)
