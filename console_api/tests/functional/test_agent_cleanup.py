# SPDX-License-Identifier: Apache-2.0
"""The agent deletes consoles of servers that were deleted in Nova."""

from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.rabbitmq import Bus
from console_api.tests.unit.agent.test_notifications import (
    VERSIONED,
    versioned,
)
from console_api.tests.unit.directory.nova.fake_nova import FakeNova, fault


class AgentCleanupTest(AgentTestCase):
    backend = "sqlite"

    cleanup_interval = "1"

    def all_options(self) -> Options:
        self.nova = FakeNova()
        self.addCleanup(self.nova.stop)
        return {
            **super().all_options(),
            "agent": {
                "compute_hosts": self.compute_host,
                "cleanup_interval": self.cleanup_interval,
            },
            "directory": {"driver": "nova"},
            "nova": self.nova.options,
        }

    def create_console(self):
        server_id = self.make_server(endpoints={})
        self.nova.add_server(
            server_id,
            **{
                "tenant_id": self.project,
                "OS-EXT-SRV-ATTR:host": self.compute_host,
            },
        )
        return server_id, self.open_console(server_id)

    def assert_deleted(self, access) -> None:
        self.eventually(lambda: self.member.get(access.path).status == 404)
        self.eventually(lambda: access.port not in self.open_ports())


class CleanerTest(AgentCleanupTest):
    def test_console_is_deleted_with_its_server(self):
        server_id, access = self.create_console()
        _, other = self.create_console()
        path = f"/v2.1/servers/{server_id}"
        self.nova.responses["GET", path] = fault(500, "computeFault")
        self.eventually_logged(
            "Cannot delete expired consoles or check for deleted"
        )
        self.assertIn(access.port, self.open_ports())
        del self.nova.servers[server_id]
        self.nova.responses.clear()
        self.assert_deleted(access)
        self.assertEqual(200, self.member.get(other.path).status)
        self.assertEqual(0, self.agent.stop())


class NotificationTest(AgentCleanupTest):
    cleanup_interval = "0"

    def all_options(self) -> Options:
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        return {**super().all_options(), "notifications": self.bus.options}

    def test_notification_deletes_console(self):
        self.eventually_logged("Listening to notifications.")
        server_id, access = self.create_console()
        self.bus.notify(VERSIONED, versioned(server_id))
        self.assert_deleted(access)
        self.assertEqual(0, self.agent.stop())
