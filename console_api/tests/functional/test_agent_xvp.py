# SPDX-License-Identifier: Apache-2.0
"""The agent with the driver for xvp, from the API to a viewer."""

import asyncio

from console_api.tests.functional import configuration, xvp
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.ports import free_port


class XVPAgentTests(AgentTestCase):
    backend = "sqlite"
    multiplex_port = None

    def all_options(self):
        folder = configuration.temporary_folder()
        binary = folder / "xvp"
        xvp.write_program(binary)
        options = super().all_options()
        options["agent"]["driver"] = "xvp"
        options["agent"]["multiplex_port"] = self.multiplex_port
        options["xvp"] = {
            "binary": str(binary),
            "state_dir": str(folder / "state"),
            "reload_interval": "0.05",
            "pools": "west",
        }
        options["xvp_pool:west"] = {
            "manager_password": "a secret",
            "hosts": "xs1=192.0.2.1",
            "compute_hosts": self.compute_host,
        }
        return options

    def start_agent(self):
        agent = super().start_agent()
        # An agent that is killed would leave xvp running.
        self.addCleanup(agent.stop)
        return agent

    def create(self, server_id):
        path = f"/servers/{server_id}/consoles"
        self.assertEqual(200, self.member.post(path).status)
        [entry] = self.member.get(path).json["consoles"]
        self.assertEqual("vnc+xvp", entry["console"]["console_type"])
        path = f"{path}/{entry['console']['id']}"
        return path, self.member.get(path).json["console"]

    def screen(self, shown, target=None):
        """Return the name of the screen that a viewer sees, or None."""

        async def connect():
            async with xvp.viewer(
                shown["port"], shown["password"], target
            ) as name:
                return name

        try:
            return asyncio.run(connect())
        except (xvp.Denied, OSError):
            return None

    def test_console_is_created_and_deleted(self):
        names = ("instance-0000000a", "instance-0000000b")
        paths, shown = zip(
            *(
                self.create(self.make_server(instance_name=name))
                for name in names
            ),
            strict=True,
        )
        for one, name in zip(shown, names, strict=True):
            self.eventually(
                lambda one=one, name=name: self.screen(one) == name
            )
        self.assertEqual(202, self.member.delete(paths[0]).status)
        self.eventually(lambda: self.screen(shown[0]) is None)
        self.eventually(lambda: self.screen(shown[1]) == names[1])
        for one in shown:
            self.assertNotIn(one["password"], self.agent.log)

    def test_console_that_xvp_refuses_is_logged(self):
        _, bad = self.create(self.make_server(instance_name='a "name" #'))
        _, good = self.create(self.make_server(instance_name="good"))
        self.eventually(lambda: self.screen(good) == "good")
        self.eventually_logged("cannot be served")
        self.assertIsNone(self.screen(bad))

    def test_agent_stops_on_sigterm(self):
        _, shown = self.create(self.make_server(instance_name="one"))
        self.eventually(lambda: self.screen(shown) == "one")
        self.assertEqual(0, self.agent.stop())
        self.assertIsNone(self.screen(shown))


class MultiplexedTests(XVPAgentTests):
    def setUp(self):
        self.multiplex_port = str(free_port())
        super().setUp()

    def screen(self, shown, target=None):
        return super().screen(shown, target or shown["instance_name"])


del AgentTestCase
