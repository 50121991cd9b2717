# SPDX-License-Identifier: Apache-2.0
"""Base class of tests with an API, an agent and real consoles."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from console_api.tests.functional import agents, base
from console_api.tests.functional.agents import Agent
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.rfb_client import RFBClient


@dataclass(frozen=True)
class Access:
    """What the API tells a user about a console."""

    path: str
    id: int
    port: int
    password: str

    def viewer(self) -> RFBClient:
        """Connect to the console without sending anything."""
        return RFBClient(self.port)


class AgentTestCase(base.FunctionalTestCase):
    """Each test has its own agent and compute host."""

    agent_options: ClassVar[Options] = {}

    def setUp(self) -> None:
        super().setUp()
        self.host = f"console-{uuid.uuid4().hex}"
        self.folder = agents.configure(
            self.agent_database(), self.host, self.all_options()
        )
        self.agent = self.start_agent()

    def agent_database(self):
        """Return the database that the agent connects to."""
        return self.database

    def all_options(self) -> Options:
        """Return the options of the agent, besides the common ones."""
        own = {
            "agent": {"compute_hosts": self.compute_host},
            "passwords": {"key_repository": str(self.server.folder / "keys")},
        }
        for group, values in self.agent_options.items():
            own.setdefault(group, {}).update(values)
        return own

    def start_agent(self) -> Agent:
        """Start the agent of the test, which may have run before."""
        agent = Agent(self.folder)
        self.addCleanup(agent.kill)
        return agent

    def server_with_display(self, port: int, **endpoint) -> str:
        """Create a server with a display on a port of this machine."""
        return self.make_server(
            endpoints={"vnc": {"host": "127.0.0.1", "port": port, **endpoint}}
        )

    def make_access(self, display_port: int, **endpoint) -> Access:
        """Create a server with a display, and its console."""
        return self.open_console(
            self.server_with_display(display_port, **endpoint)
        )

    def open_console(self, server_id: str) -> Access:
        """Create a console and wait until its port is open."""
        path = f"/servers/{server_id}/consoles"
        reply = self.member.post(path)
        self.assertEqual(200, reply.status, reply.body)
        [entry] = self.member.get(path).json["consoles"]
        path = f"{path}/{entry['console']['id']}"
        shown = self.member.get(path).json["console"]
        self.assertEqual("127.0.0.1", shown["host"])
        self.eventually(lambda: shown["port"] in self.open_ports())
        return Access(path, shown["id"], shown["port"], shown["password"])

    def delete(self, access: Access) -> None:
        """Delete a console."""
        self.assertEqual(202, self.member.delete(access.path).status)

    def open_ports(self) -> set[int]:
        """Return the ports on which the agent listens."""
        return agents.listening_ports(self.agent.pid)

    def eventually_logged(self, text: str) -> None:
        """Wait until the log of the agent contains a text."""
        self.eventually(lambda: text in self.agent.log)
