# SPDX-License-Identifier: Apache-2.0
"""The directory `nova`, with a real Nova and a real Keystone behind it."""

from console_api.db import tables
from console_api.tests.functional import base, servers
from console_api.tests.functional.client import Reply
from console_api.tests.functional.nova_base import NovaServerTestCase
from console_api.tests.functional.servers import Server


class RealNovaTest(NovaServerTestCase):
    """Servers come from Nova only."""

    backend = "sqlite"

    def choose_server(self) -> Server:
        return servers.shared(self.backend, self.all_options())

    def all_options(self, **credentials: str):
        return {
            **self.keystone.options,
            "directory": {"driver": "nova", "cache_seconds": "0"},
            "nova": {**self.keystone.credentials, **credentials},
        }

    def send(
        self, method: str, path: str, token=None, server=None, **more
    ) -> Reply:
        headers = {"X-Auth-Token": token or self.token}
        client = (server or self.server).client()
        return client.request(method, path, headers=headers, **more)

    def count(self) -> int:
        table = tables.servers
        return self.database.count(table, table.c.uuid == self.server_id)

    def test_console_follows_server_of_nova(self):
        self.assertEqual({"consoles": []}, self.send("GET", self.path).json)
        reply = self.send("POST", self.path)
        self.assertEqual(200, reply.status, reply.body)
        [entry] = self.send("GET", self.path).json["consoles"]
        path = f"{self.path}/{entry['console']['id']}"
        shown = self.send("GET", path).json["console"]
        self.assertRegex(shown["instance_name"], "^instance-[0-9a-f]{8}$")
        self.assertEqual(1, self.count())
        self.nova.delete_server(self.server_id)
        self.assert_fault(self.send("GET", path), 404)
        self.assertEqual({"consoles": []}, self.send("GET", self.path).json)
        self.assertEqual([], self.console_rows(self.server_id))
        self.assertEqual(0, self.count())

    def issue(self, protocol: str, kind: str) -> str:
        """Issue a token for the server."""
        reply = self.send(
            "POST",
            f"/servers/{self.server_id}/remote-consoles",
            body={"remote_console": {"protocol": protocol, "type": kind}},
            version="2.99",
        )
        self.assertEqual(200, reply.status, reply.body)
        return base.token_of(reply.json["remote_console"]["url"])

    def look_up(self, token: str) -> Reply:
        return self.send(
            "GET",
            f"/os-console-auth-tokens/{token}",
            self.keystone.make_token(self.project, "service"),
            version="2.99",
        )

    def test_endpoint_is_that_of_a_remote_console_of_nova(self):
        for kind in ("novnc", "xvpvnc"):
            self.assertEqual(
                {
                    "instance_uuid": self.server_id,
                    "host": "compute-1.example.org",
                    "port": 5907,
                    "internal_access_path": None,
                },
                self.look_up(self.issue("vnc", kind)).json["console"],
            )

    def test_endpoint_of_spice_direct_has_a_tls_port(self):
        token = self.issue("spice", "spice-direct")
        console = self.look_up(token).json["console"]
        self.assertEqual(6969, console["port"])
        self.assertEqual(6970, console["tls_port"])

    def test_token_of_server_that_has_moved_or_stopped_is_404(self):
        before = {"host": self.nova.compute_host, "power_state": 1}
        for change in ({"host": "elsewhere"}, {"power_state": 4}):
            token = self.issue("vnc", "novnc")
            self.assertEqual(200, self.look_up(token).status)
            for values in (change, before):
                self.nova.change_server(self.server_id, **values)
                with self.subTest(**values):
                    self.assert_fault(self.look_up(token), 404)
        token = self.issue("vnc", "novnc")
        self.nova.delete_server(self.server_id)
        self.assert_fault(self.look_up(token), 404)

    def test_server_of_another_project_is_404(self):
        other = self.keystone.make_project()
        token = self.keystone.make_token(other, "manager")
        reply = self.send("GET", self.path, token)
        self.assertEqual({"consoles": []}, reply.json)
        self.assert_fault(self.send("POST", self.path, token), 404)

    def test_service_user_without_admin_role_deletes_nothing(self):
        self.assertEqual(200, self.send("POST", self.path).status)
        for project, message in (
            (self.project, "must be an administrator"),
            (self.keystone.make_project(), "status 403"),
        ):
            user = self.keystone.make_user(project, "member")
            server = self.start_server(
                self.all_options(
                    username=user[0],
                    password=user[1],
                    project_id=project,
                    project_name="",
                )
            )
            with self.subTest(message):
                reply = self.send("GET", self.path, server=server)
                self.assert_fault(reply, 503)
                self.assertEqual("5", reply.headers["Retry-After"])
                self.assertIn(message, server.log)
                self.assertNotIn(user[1], server.log)
        self.assertEqual(1, len(self.console_rows(self.server_id)))
