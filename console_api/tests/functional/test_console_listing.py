# SPDX-License-Identifier: Apache-2.0
"""The consoles of a project, and of all projects, over HTTP."""

import shutil
import socket
import uuid
from urllib.parse import urlsplit

from console_api.db import tables
from console_api.keys import repository
from console_api.tests.functional import base, configuration, databases
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.ports import free_port
from console_api.tests.unit.cmd.manage.base import run

PATH = "/os-consoles"


class ListingTestCase(base.FunctionalTestCase):
    def listed(self, query="", client=None):
        reply = (client or self.member).get(f"{PATH}{query}")
        self.assertEqual(200, reply.status, reply.body)
        return reply.json["consoles"]

    def ids(self, query="", client=None):
        return [console["id"] for console in self.listed(query, client)]

    def report(self, host, **values):
        """Store what the agent of a console host would report."""
        heartbeats = tables.console_host_heartbeats
        self.database.execute(
            heartbeats.update().where(
                heartbeats.c.console_host_id == self.console_host(host).id
            ),
            values,
        )


@base.on_each_database
class ListingTests(ListingTestCase):
    def setUp(self):
        super().setUp()
        self.host = self.make_console_host()
        self.consoles = [self.make_console_here() for _ in range(3)]

    def make_console_here(self, **values):
        """Create a console on the console host of the test."""
        server_id = self.make_server(**values)
        self.admin.post(f"/servers/{server_id}/consoles")
        [row] = self.console_rows(server_id)
        return row

    def test_pages_are_linked_and_end(self):
        one, two, three = (row.id for row in self.consoles)
        page = self.member.get(f"{PATH}?limit=2").json
        self.assertEqual([one, two], [each["id"] for each in page["consoles"]])
        [link] = page["consoles_links"]
        self.assertEqual("next", link["rel"])
        self.assertTrue(link["href"].startswith(self.server.url))
        url = urlsplit(link["href"])
        page = self.member.get(f"{url.path}?{url.query}", prefix="").json
        self.assertEqual([three], [each["id"] for each in page["consoles"]])
        self.assertNotIn("consoles_links", page)

    def test_other_projects_never_see_consoles(self):
        other = uuid.uuid4().hex
        theirs = self.make_console_here(project_id=other).id
        own = [row.id for row in self.consoles]
        for roles in ("admin", "member", "reader"):
            for project, expected in ((self.project, own), (other, [theirs])):
                client = self.client("dora", roles=roles, project=project)
                self.assertEqual(expected, self.ids(client=client))
        host = f"all_projects=true&console_host={self.host}"
        self.assertEqual([*own, theirs], self.ids(f"?{host}", self.admin))
        for roles in ("member", "reader", "service"):
            client = self.client("dora", roles=roles)
            self.assert_fault(client.get(f"{PATH}?{host}"), 403)

    def test_states_follow_reports(self):
        one, two, three = self.consoles
        everything = [row.id for row in self.consoles]
        consoles = tables.consoles
        self.database.execute(
            consoles.update().where(consoles.c.id == two.id),
            {"problem": "Port 20001 is in use."},
        )
        for values, expected in (
            ({"served_revision": None}, {"pending": everything}),
            (
                {"served_revision": 2, "failed_count": 1},
                {
                    "serving": [one.id],
                    "failed": [two.id],
                    "pending": [three.id],
                },
            ),
            (
                {"served_revision": 3},
                {"serving": [one.id, three.id], "failed": [two.id]},
            ),
            ({"last_seen_at": 1}, {"unknown": everything}),
        ):
            self.report(self.host, **values)
            for state in ("serving", "failed", "pending", "unknown"):
                with self.subTest(values, state=state):
                    self.assertEqual(
                        expected.get(state, []), self.ids(f"?state={state}")
                    )
        self.report(self.host, last_seen_at=databases.ALWAYS_UP)
        for client, reason in (
            (self.member, None),
            (self.admin, "Port 20001 is in use."),
        ):
            shown = self.listed(f"?server_id={two.server_id}", client)
            self.assertEqual([reason], [each.get("reason") for each in shown])
            self.assertNotIn("password", str(shown))

    def test_filters_select_consoles(self):
        one, two, three = (row.id for row in self.consoles)
        server_id = self.consoles[1].server_id
        for query, expected in (
            (f"server_id={server_id}", [two]),
            (f"server_id={server_id.upper()}", [two]),
            (f"console_host={self.host}", [one, two, three]),
            ("console_host=unknown", []),
            ("console_type=vnc%2Bxvp", [one, two, three]),
            ("console_type=vnc", []),
            (f"console_type=vnc%2Bxvp&limit=1&marker={one}", [two]),
        ):
            with self.subTest(query):
                self.assertEqual(expected, self.ids(f"?{query}"))

    def test_invalid_parameters_are_400(self):
        for query, field in (
            ("limit=0", "limit"),
            ("limit=x", "limit"),
            ("marker=-1", "marker"),
            ("state=up", "state"),
            ("server_id=web1", "server_id"),
            ("console_host=a%00b", "console_host"),
            ("console_type=", "console_type"),
            ("all_projects=maybe", "all_projects"),
            ("host=x", "host"),
        ):
            for client in (self.member, self.admin):
                with self.subTest(query):
                    reply = client.get(f"{PATH}?{query}", version="2.99")
                    self.assert_fault(reply, 400)
                    self.assertIn(field, reply.message)

    def test_list_exists_in_every_microversion(self):
        for version in (None, "2.1", "2.99", "latest"):
            with self.subTest(version):
                reply = self.member.get(PATH, version=version)
                self.assertEqual(3, len(reply.json["consoles"]))


class ReportTestCase(AgentTestCase, ListingTestCase):
    """What the agent really serves is what the API shows."""

    agent_options = {"agent": {"retry_interval": "1", "full_interval": "1"}}

    def all_options(self):
        options = super().all_options()
        self.port = free_port()
        options["agent"]["ports"] = f"{self.port}-{self.port}"
        return options

    def console(self):
        [console] = self.listed(client=self.admin)
        return console

    def host_state(self):
        shown = run(
            *(self.folder, "console-host", "show", self.host, "-f", "json")
        ).json
        return shown["state"], shown["served"], shown["failed"]


@base.on_each_database
class ReportTests(ReportTestCase):
    def test_console_on_port_in_use_fails_and_recovers(self):
        path = f"/servers/{self.server_with_display(1)}/consoles"
        with socket.create_server(("127.0.0.1", self.port)):
            self.assertEqual(200, self.member.post(path).status)
            self.eventually(lambda: self.console()["state"] == "failed")
            self.assertIn(f"Port {self.port} ", self.console()["reason"])
            self.eventually(lambda: self.host_state() == ("failing", 0, 1))
        self.eventually(lambda: self.console()["state"] == "serving")
        self.assertNotIn("reason", self.console())
        self.eventually(lambda: self.host_state() == ("up", 1, 0))


@base.on_databases("sqlite")
class MissingKeysTests(ReportTestCase):
    def all_options(self):
        options = super().all_options()
        self.keys = configuration.temporary_folder() / "keys"
        repository.setup(self.keys)
        options["passwords"]["key_repository"] = str(self.keys)
        return options

    def test_console_fails_until_keys_are_copied(self):
        path = f"/servers/{self.server_with_display(1)}/consoles"
        self.assertEqual(200, self.member.post(path).status)
        self.eventually(lambda: self.console()["state"] == "failed")
        self.assertIn("key", self.console()["reason"])
        self.eventually(lambda: self.host_state() == ("failing", 0, 1))
        shutil.copytree(
            self.server.folder / "keys", self.keys, dirs_exist_ok=True
        )
        self.eventually(lambda: self.console()["state"] == "serving")
        self.eventually(lambda: self.host_state() == ("up", 1, 0))
