# SPDX-License-Identifier: Apache-2.0
"""The keystone pipeline, with a real Keystone behind it."""

from console_api.tests.functional import base, keystone, servers
from console_api.tests.functional.client import Reply
from console_api.tests.functional.servers import Server


class RealKeystoneTest(base.FunctionalTestCase):
    """Identity comes from Keystone, and from nowhere else."""

    backend = "sqlite"

    def choose_server(self) -> Server:
        self.keystone = keystone.shared()
        return servers.shared(self.backend, self.keystone.options)

    def setUp(self) -> None:
        super().setUp()
        self.project = self.keystone.make_project()
        self.make_console_host()
        self.path = f"/servers/{self.make_server()}/consoles"

    def send(
        self, token: str | None, method: str, path: str, **headers: str
    ) -> Reply:
        sent = {k.replace("_", "-"): value for k, value in headers.items()}
        if token is not None:
            sent["X-Auth-Token"] = token
        return self.server.client().request(method, path, headers=sent)

    def test_a_member_creates_and_shows_the_console_of_a_server(self):
        token = self.keystone.make_token(self.project, "member")
        self.assertEqual(200, self.send(token, "POST", self.path).status)
        reply = self.send(token, "GET", f"/{self.project}{self.path}")
        [entry] = reply.json["consoles"]
        path = f"{self.path}/{entry['console']['id']}"
        self.assertEqual(200, self.send(token, "GET", path).status)

    def test_a_reader_lists_and_does_not_create(self):
        token = self.keystone.make_token(self.project, "reader")
        self.assertEqual(200, self.send(token, "GET", self.path).status)
        self.assertEqual(403, self.send(token, "POST", self.path).status)
        reply = self.send(token, "POST", self.path, X_Roles="admin")
        self.assertEqual(403, reply.status)

    def test_a_service_looks_tokens_up_and_does_nothing_else(self):
        token = self.keystone.make_token(self.project, "service")
        reply = self.send(token, "GET", "/os-console-auth-tokens/none")
        self.assertEqual(404, reply.status)
        self.assertEqual(403, self.send(token, "GET", self.path).status)

    def test_the_server_of_another_project_is_not_there(self):
        other = self.keystone.make_project()
        token = self.keystone.make_token(other, "manager")
        reply = self.send(token, "GET", self.path)
        self.assertEqual({"consoles": []}, reply.json)
        self.assertEqual(404, self.send(token, "POST", self.path).status)
        path = f"/{self.project}{self.path}"
        self.assertEqual(400, self.send(token, "GET", path).status)

    def test_without_a_good_token_it_is_401(self):
        for token in (None, "nonsense", "admin:demo"):
            with self.subTest(token=token):
                reply = self.send(
                    token,
                    "GET",
                    self.path,
                    X_User_Id="admin",
                    X_Project_Id=self.project,
                    X_Roles="admin",
                    X_Identity_Status="Confirmed",
                )
                self.assertEqual(401, reply.status)
                self.assertIn("authentication", reply.message)
                self.assertIn(
                    self.keystone.url, reply.headers["WWW-Authenticate"]
                )
