# SPDX-License-Identifier: Apache-2.0
"""Reloading and upgrading the agent, and crashes on the way."""

import contextlib
import os
import signal
import subprocess
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
from console_api.tests.ports import is_free

OK = 0

COMMAND = str(Path(sys.executable).with_name("console-api-agent"))


class ReloadTestCase(AgentTestCase):
    backend = "sqlite"

    def start_agent(self) -> Agent:
        """Start the agent with a command that it can run again."""
        agent = Agent(self.folder, self.command())
        self.addCleanup(agent.kill)
        return agent

    def command(self) -> list[str]:
        """Return the command that starts the agent."""
        return [COMMAND, "--config-dir", str(self.folder)]

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


class FailureTests(ReloadTestCase):
    def assert_failed(self) -> None:
        """Assert that the agent gives a reload up, and serves as before."""
        self.assertEqual(
            "READY=1", self.agent.wait_for_notification("READY=1")
        )
        self.assertTrue(self.is_alive(self.agent.pid))
        with self.session(self.access) as screen:
            self.assert_lives(screen)

    def test_failed_reload_keeps_agent_and_sessions(self) -> None:
        self.access = self.make_access(self.display())
        with self.session(self.access) as screen:
            for option, value, reason in (
                ("drain_timeout", "-1", "drain_timeout"),
                ("drain_timeout", "0", "[vnc] listen_address: "),
            ):
                self.configure("agent", option, value)
                self.agent.request_reload()
                self.assert_failed()
                self.assertIn(reason, self.agent.log)
                # An address of a network for documentation.
                self.configure("vnc", "listen_address", "192.0.2.1")
            self.assertEqual(2, self.agent.log.count("Cannot reload"))
            self.assert_lives(screen)

    def test_crash_of_successor_ends_draining_agent(self) -> None:
        access = self.make_access(self.display())
        with self.session(access) as screen:
            self.agent.reload()
            self.assert_lives(screen)
            os.kill(self.agent.pid, signal.SIGKILL)
            with self.assertRaises(EOFError):
                screen.receive_update()
        self.assertEqual(1, self.agent.process.wait(60))
        self.configure("agent", "drain_timeout", "0")
        self.agent = self.start_agent()
        with self.session(access) as screen:
            self.agent.reload()
            with self.assertRaises(EOFError):
                screen.receive_update()
        self.assertEqual(0, self.agent.process.wait(60))
        self.assertEqual({access.port}, self.open_ports())

    def test_terminal_keeps_control_of_successor(self) -> None:
        access = self.make_access(CLOSED_PORT)
        process = self.start_without_systemd()
        for number in (1, 2):
            process.send_signal(signal.SIGHUP)
            self.eventually_logged_times(number, "Waiting for process")
        self.assertIsNone(process.poll())
        process.terminate()
        self.assertEqual(0, process.wait(60))
        self.assertTrue(is_free(access.port))

    def test_crash_of_process_that_terminal_started_ends_all(self) -> None:
        access = self.make_access(CLOSED_PORT)
        process = self.start_without_systemd()
        for number in (1, 2):
            process.send_signal(signal.SIGHUP)
            self.eventually_logged_times(number, "Waiting for process")
        process.kill()
        self.eventually(lambda: is_free(access.port))

    def start_without_systemd(self) -> subprocess.Popen[bytes]:
        """Replace the agent by one that a terminal or supervisor started."""
        self.agent.kill()
        environment = {
            name: value
            for name, value in os.environ.items()
            if name != "NOTIFY_SOCKET"
        }
        with (self.folder / "agent.log").open("a") as log:
            process = subprocess.Popen(
                self.command(),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.addCleanup(process.wait)
        self.addCleanup(self.kill_session, process.pid)
        self.eventually_logged_times(2, "Ready: ")
        return process

    def eventually_logged_times(self, count: int, text: str) -> None:
        self.eventually(lambda: self.agent.log.count(text) == count)

    def kill_session(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(number, signal.SIGKILL)
