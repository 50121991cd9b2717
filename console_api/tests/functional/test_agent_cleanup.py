# SPDX-License-Identifier: Apache-2.0
"""An agent closes the consoles of servers that are gone elsewhere."""

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

    def make_console_of_nova(self):
        server_id = self.make_server(endpoints={})
        self.nova.add_server(
            server_id,
            **{
                "tenant_id": self.project,
                "OS-EXT-SRV-ATTR:host": self.compute_host,
            },
        )
        return server_id, self.open_console(server_id)

    def assert_goes(self, access) -> None:
        self.eventually(lambda: self.member.get(access.path).status == 404)
        self.eventually(lambda: access.port not in self.open_ports())


class CleanerTest(AgentCleanupTest):
    def test_a_console_goes_with_its_server_and_not_before(self):
        server_id, access = self.make_console_of_nova()
        _, other = self.make_console_of_nova()
        path = f"/v2.1/servers/{server_id}"
        self.nova.answers["GET", path] = fault(500, "computeFault")
        self.eventually_logged("Cannot check for deleted servers")
        self.assertIn(access.port, self.open_ports())
        del self.nova.servers[server_id]
        self.nova.answers.clear()
        self.assert_goes(access)
        self.assertEqual(200, self.member.get(other.path).status)
        self.assertEqual(0, self.agent.stop())


class NotifiedTest(AgentCleanupTest):
    cleanup_interval = "0"

    def all_options(self) -> Options:
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        return {**super().all_options(), "notifications": self.bus.options}

    def test_a_console_goes_when_nova_says_so(self):
        self.eventually_logged("Listening to notifications.")
        server_id, access = self.make_console_of_nova()
        self.bus.notify(VERSIONED, versioned(server_id))
        self.assert_goes(access)
        self.assertEqual(0, self.agent.stop())
