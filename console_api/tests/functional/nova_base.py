# SPDX-License-Identifier: Apache-2.0
"""What tests with a real Nova and a real Keystone have in common."""

from console_api.tests.functional import base, keystone, nova


class CloudTestCase(base.FunctionalTestCase):
    """Tests with a Nova and a Keystone, which are there before the server."""

    def setUp(self) -> None:
        self.keystone = keystone.shared()
        self.nova = nova.shared(self.keystone)
        super().setUp()


class ServerOfNovaTestCase(CloudTestCase):
    """Each test has a server that Nova has, and a token of a member."""

    def setUp(self) -> None:
        super().setUp()
        self.project = self.keystone.make_project()
        self.make_console_host(compute_hosts="compute-1")
        self.server_id = self.nova.make_server(self.project)
        self.path = f"/servers/{self.server_id}/consoles"
        self.token = self.keystone.make_token(self.project, "member")
