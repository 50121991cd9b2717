# SPDX-License-Identifier: Apache-2.0
"""Reloading and upgrading the agent, and crashes on the way."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from console_api.tests.functional import vnc_servers
from console_api.tests.functional.agent_base import Access, AgentTestCase
from console_api.tests.functional.agents import Agent
from console_api.tests.functional.rfb_client import RFBClient
from console_api.tests.functional.rfb_screen import RAW, Screen
from console_api.tests.functional.test_agent import CLOSED_PORT

OK = 0

COMMAND = str(Path(sys.executable).with_name("console-api-agent"))


class ReloadTestCase(AgentTestCase):
    backend = "sqlite"

    def start_agent(self) -> Agent:
        """Start the agent with a command that it can run again."""
        agent = Agent(self.folder, [COMMAND, "--config-dir", str(self.folder)])
        self.addCleanup(agent.kill)
        return agent

    def display(self) -> int:
        """Start a display; return its port."""
        display = vnc_servers.xvnc()
        self.addCleanup(display.stop)
        return display.port

    def configure(self, group: str, option: str, value: str) -> None:
        """Add an option to the configuration file."""
        path = self.folder / "console_api.conf"
        path.write_text(f"{path.read_text()}\n[{group}]\n{option} = {value}\n")

    @contextlib.contextmanager
    def session(self, access: Access) -> Iterator[Screen]:
        """Open a session and show its picture."""
        with access.viewer() as viewer:
            self.assertEqual(OK, viewer.authenticate(access.password))
            viewer.open()
            screen = Screen(viewer, RAW)
            screen.receive_update()
            yield screen

    def assert_lives(self, screen: Screen) -> None:
        screen.request(is_incremental=False)
        screen.receive_update()

    @contextlib.contextmanager
    def connecting(self, port: int) -> Iterator[list[int]]:
        """Connect all the time; every connection must be greeted."""
        greeted: list[int] = [0]
        failures: list[Exception] = []
        stopping = threading.Event()

        def connect() -> None:
            while not (stopping.is_set() or failures):
                try:
                    with RFBClient(port) as viewer:
                        assert viewer.receive(12)
                    greeted[0] += 1
                except Exception as error:  # noqa: BLE001 - of a thread
                    failures.append(error)

        thread = threading.Thread(target=connect)
        thread.start()
        try:
            yield greeted
        finally:
            stopping.set()
            thread.join()
        self.assertEqual([], failures)

    def is_alive(self, pid: int) -> bool:
        try:
            return "Z" not in Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            return False


class ReloadTests(ReloadTestCase):
    def test_sessions_survive_reloads_until_console_is_deleted(self):
        display = self.display()
        kept, deleted = self.make_access(display), self.make_access(display)
        first = self.agent.pid
        with (
            self.session(kept) as one,
            self.session(deleted) as two,
            self.connecting(kept.port) as greeted,
        ):
            self.agent.reload()
            self.configure("DEFAULT", "debug", "true")
            self.agent.reload()
            self.assertGreater(greeted[0], 10)
            self.assertEqual({kept.port, deleted.port}, self.open_ports())
            self.assert_lives(one)
            self.assert_lives(two)
            self.assertIn(" DEBUG ", self.agent.log)
            self.delete(deleted)
            with self.assertRaises(EOFError):
                while True:
                    two.receive_update()
            self.assert_lives(one)
            made = self.make_access(CLOSED_PORT)
            with self.session(kept) as third:
                self.assert_lives(third)
            self.assertTrue(self.is_alive(first))
        # The drained process exits, the others serve.
        self.assertEqual(0, self.agent.process.wait(60))
        self.assertEqual({kept.port, made.port}, self.open_ports())
