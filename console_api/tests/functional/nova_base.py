# SPDX-License-Identifier: Apache-2.0
"""Base classes of tests with a real Nova and a real Keystone."""

from console_api.tests.functional import base, keystone, nova


class CloudTestCase(base.FunctionalTestCase):
    """Start Keystone and Nova before the server."""

    def setUp(self) -> None:
        self.keystone = keystone.shared()
        self.nova = nova.shared(self.keystone)
        super().setUp()


class NovaServerTestCase(CloudTestCase):
    """Create a server in Nova, and a token of a member of its project."""

    def setUp(self) -> None:
        super().setUp()
        self.project = self.keystone.make_project()
        self.make_console_host(compute_hosts=self.nova.compute_host)
        self.server_id = self.nova.make_server(self.project)
        self.path = f"/servers/{self.server_id}/consoles"
        self.token = self.keystone.make_token(self.project, "member")
