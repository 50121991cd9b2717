# SPDX-License-Identifier: Apache-2.0
"""Faulty and hostile viewers, and their effect on others."""

import contextlib
import resource
import socket
import struct
from pathlib import Path

from console_api.tests.functional import vnc_servers
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.rfb_client import RFBClient, respond
from console_api.tests.functional.test_agent import CLOSED_PORT

OK = 0
FAILED = 1


class ViewerTestCase(AgentTestCase):
    backend = "sqlite"

    def setUp(self):
        super().setUp()
        display = vnc_servers.xvnc()
        self.addCleanup(display.stop)
        self.access = self.make_access(display.port)

    def assert_works(self):
        """Assert that a correct viewer can open a session."""
        with self.access.viewer() as viewer:
            self.assertEqual(OK, viewer.authenticate(self.access.password))
            self.assertTrue(viewer.open())

    def open_files(self):
        """Return the number of files that the agent has open."""
        return len(list(Path(f"/proc/{self.agent.process.pid}/fd").iterdir()))


class HandshakeTests(ViewerTestCase):
    def test_other_protocol_gets_a_reason(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"RFB 004.000\n", bytes(100)):
            with self.subTest(data), self.access.viewer() as viewer:
                viewer.receive(12)
                viewer.send(data)
                self.assertEqual(b"\0\0\0\0", viewer.receive(4))
                self.assertIn("RFB 3.3, 3.7 and 3.8", viewer.reason())
        self.assert_works()

    def test_megabyte_of_garbage_is_refused(self):
        with self.access.viewer() as viewer:
            with contextlib.suppress(ConnectionError):
                viewer.send(b"x" * 2**20)
            with contextlib.suppress(ConnectionError):
                while viewer.receive(1):
                    pass
        self.assert_works()

    def test_garbage_is_not_logged(self):
        for _ in range(50):
            with self.access.viewer() as viewer:
                viewer.send(b"garbage")
        self.assert_works()
        self.assertLess(len(self.agent.log.splitlines()), 15, self.agent.log)


class SlowViewersTests(ViewerTestCase):
    agent_options = {
        "vnc": {
            "handshake_timeout": "1",
            "password_timeout": "1",
            "idle_timeout": "1",
        }
    }

    def test_slow_handshake_is_disconnected(self):
        before = self.open_files()
        # Each twice: the pool may open another connection to the database.
        begins = 2 * (b"", b"RFB 003", b"RFB 003.008\n", b"RFB 003.008\n\2")
        for begin in begins:
            with self.subTest(begin), self.access.viewer() as viewer:
                viewer.send(begin)
                while viewer.receive(1):
                    pass
        self.eventually(lambda: self.open_files() < before + len(begins))

    def test_idle_session_is_closed(self):
        with self.access.viewer() as viewer:
            viewer.authenticate(self.access.password)
            viewer.open()
            self.assertTrue(viewer.is_closed())
        self.eventually_logged("reason: idle timeout")


class SilentViewersTests(ViewerTestCase):
    agent_options = {"vnc": {"max_handshakes": "1000"}}

    def setUp(self):
        super().setUp()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))

    def test_thousand_silent_viewers_do_not_block_next(self):
        with contextlib.ExitStack() as silent:
            for _ in range(1000):
                silent.enter_context(self.access.viewer())
            self.assert_works()
            self.assert_works()


class WrongPasswordTests(ViewerTestCase):
    agent_options = {
        "vnc": {"max_failed_attempts": "3", "lockout_time": "3600"}
    }

    def fail(self):
        with self.access.viewer() as viewer:
            self.assertEqual(FAILED, viewer.authenticate("wrong"))
            return viewer.reason()

    def test_limit_locks_console(self):
        self.assertEqual(["Wrong password."] * 3, [self.fail() for _ in "123"])
        with self.access.viewer() as viewer:
            viewer.receive(12)
            viewer.send(b"RFB 003.008\n")
            self.assertEqual(b"\0", viewer.receive(1))
            self.assertIn("Too many wrong passwords", viewer.reason())

    def test_pending_responses_are_refused_after_lockout(self):
        with contextlib.ExitStack() as stack:
            viewers = [
                stack.enter_context(self.access.viewer()) for _ in range(6)
            ]
            challenges = [viewer.ask_for_challenge() for viewer in viewers]
            for viewer, challenge in zip(viewers, challenges, strict=True):
                viewer.send(respond("wrong", challenge))
            reasons = []
            for viewer in viewers:
                viewer.receive(4)
                reasons.append(viewer.reason())
        self.assertEqual(3, reasons.count("Wrong password."), reasons)

    def test_correct_password_resets_count(self):
        for _ in range(3):
            self.fail()
            self.fail()
            self.assert_works()

    def test_other_consoles_stay_open(self):
        other = self.make_access(CLOSED_PORT)
        for _ in range(3):
            self.fail()
        with other.viewer() as viewer:
            self.assertEqual(FAILED, viewer.authenticate(other.password))
            self.assertIn("cannot be reached", viewer.reason())


class SessionTests(ViewerTestCase):
    agent_options = {"vnc": {"max_sessions": "2"}}

    def test_session_beyond_limit_is_refused(self):
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                viewer = stack.enter_context(self.access.viewer())
                self.assertEqual(0, viewer.authenticate(self.access.password))
                viewer.open()
            with self.access.viewer() as third:
                self.assertEqual(1, third.authenticate(self.access.password))
                self.assertIn("maximum number of sessions", third.reason())
        self.eventually(self.has_room)

    def has_room(self):
        with self.access.viewer() as viewer:
            return viewer.authenticate(self.access.password) == OK

    def test_closed_sessions_release_files(self):
        before = self.open_files()
        sessions = 20
        for _ in range(sessions):
            self.assert_works()
        # The pool may have opened more connections to the database, which
        # stay; a session that leaks has at least one file.
        self.eventually(lambda: self.open_files() < before + sessions)

    def test_viewer_that_does_not_read_is_bounded_in_memory(self):
        with self.access.viewer() as viewer:
            viewer.authenticate(self.access.password)
            viewer.open()
            # Each update has 320 x 240 pixels of 4 bytes.
            request = struct.pack(">BBHHHH", 3, 0, 0, 0, 320, 240)
            viewer.socket.settimeout(0.5)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(2000):
                    viewer.send(request)
            status = Path(f"/proc/{self.agent.process.pid}/status")
            [line] = [
                line
                for line in status.read_text().splitlines()
                if line.startswith("VmRSS")
            ]
            self.assertLess(int(line.split()[1]), 150_000)


class AddressTests(AgentTestCase):
    """Without an address, consoles listen on all addresses."""

    backend = "sqlite"

    def all_options(self):
        return {**super().all_options(), "vnc": {"listen_address": None}}

    def test_ipv4_and_ipv6_are_served(self):
        access = self.make_access(CLOSED_PORT)
        for address in ("127.0.0.1", "::1"):
            with self.subTest(address):
                if address == "::1" and not socket.has_dualstack_ipv6():
                    self.skipTest("This machine has no IPv6.")
                with RFBClient(access.port, address) as viewer:
                    self.assertEqual(16, len(viewer.ask_for_challenge()))


del AgentTestCase, ViewerTestCase
