# SPDX-License-Identifier: Apache-2.0
"""Viewers that do not behave, and what they do to those who do."""

import contextlib
import resource
import socket
import struct
from pathlib import Path

from console_api.tests.functional import vnc_servers
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.rfb_client import RFBClient, respond
from console_api.tests.functional.test_agent import NOBODY

OK = 0
FAILED = 1


class ViewerTestCase(AgentTestCase):
    backend = "sqlite"

    def setUp(self):
        super().setUp()
        screen = vnc_servers.xvnc()
        self.addCleanup(screen.stop)
        self.access = self.make_access(screen.port)

    def assert_works(self):
        """Assert that a viewer that behaves sees the screen."""
        with self.access.viewer() as viewer:
            self.assertEqual(OK, viewer.authenticate(self.access.password))
            self.assertTrue(viewer.open())

    def open_files(self):
        """Return how many files the agent has open."""
        return len(list(Path(f"/proc/{self.agent.process.pid}/fd").iterdir()))


class HandshakeTests(ViewerTestCase):
    def test_what_is_no_vnc_viewer_is_told_so(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"RFB 004.000\n", bytes(100)):
            with self.subTest(data), self.access.viewer() as viewer:
                viewer.receive(12)
                viewer.send(data)
                self.assertEqual(b"\0\0\0\0", viewer.receive(4))
                self.assertIn("RFB 3.3, 3.7 and 3.8", viewer.reason())
        self.assert_works()

    def test_whoever_sends_a_megabyte_is_cut_off(self):
        with self.access.viewer() as viewer:
            with contextlib.suppress(ConnectionError):
                viewer.send(b"x" * 2**20)
            with contextlib.suppress(ConnectionError):
                while viewer.receive(1):
                    pass
        self.assert_works()

    def test_one_byte_at_a_time_is_as_good(self):
        with self.access.viewer() as viewer:
            viewer.receive(12)
            for byte in b"RFB 003.008\n\2":
                viewer.send(bytes([byte]))
            self.assertEqual(b"\1\2", viewer.receive(2))
            response = respond(self.access.password, viewer.receive(16))
            for byte in response + b"\1":
                viewer.send(bytes([byte]))
            self.assertEqual(b"\0\0\0\0", viewer.receive(4))
            self.assertEqual(24, len(viewer.receive(24)))

    def test_each_challenge_is_another_one(self):
        found = set()
        for _ in range(20):
            with self.access.viewer() as viewer:
                found.add(viewer.ask_for_challenge())
        self.assertEqual(20, len(found))

    def test_none_of_this_fills_the_log(self):
        for _ in range(50):
            with self.access.viewer() as viewer:
                viewer.send(b"garbage")
        self.assert_works()
        self.assertLess(len(self.agent.log.splitlines()), 15, self.agent.log)


class SlowViewersTests(ViewerTestCase):
    agent_options = {"vnc": {"handshake_timeout": "1", "idle_timeout": "1"}}

    def test_whoever_is_too_slow_is_cut_off(self):
        before = self.open_files()
        for begin in (b"", b"RFB 003", b"RFB 003.008\n", b"RFB 003.008\n\2"):
            with self.subTest(begin), self.access.viewer() as viewer:
                viewer.send(begin)
                while viewer.receive(1):
                    pass
        self.eventually(lambda: self.open_files() <= before)

    def test_a_session_without_a_byte_ends(self):
        with self.access.viewer() as viewer:
            viewer.authenticate(self.access.password)
            viewer.open()
            self.assertTrue(viewer.is_closed())
        self.eventually_logged("ended: idle timeout")


class SilentViewersTests(ViewerTestCase):
    agent_options = {"vnc": {"max_handshakes": "1000"}}

    def setUp(self):
        super().setUp()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))

    def test_a_thousand_do_not_stop_the_next(self):
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

    def test_too_many_lock_the_console(self):
        self.assertEqual(["Wrong password."] * 3, [self.fail() for _ in "123"])
        with self.access.viewer() as viewer:
            viewer.receive(12)
            viewer.send(b"RFB 003.008\n")
            self.assertEqual(b"\0", viewer.receive(1))
            self.assertIn("Too many wrong passwords", viewer.reason())

    def test_guesses_that_were_ready_before_do_not_count_after(self):
        with contextlib.ExitStack() as stack:
            viewers = [
                stack.enter_context(self.access.viewer()) for _ in range(6)
            ]
            challenges = [viewer.ask_for_challenge() for viewer in viewers]
            for viewer, challenge in zip(viewers, challenges, strict=True):
                viewer.send(respond("wrong", challenge))
            told = []
            for viewer in viewers:
                viewer.receive(4)
                told.append(viewer.reason())
        self.assertEqual(3, told.count("Wrong password."), told)

    def test_the_right_one_in_between_forgives(self):
        for _ in range(3):
            self.fail()
            self.fail()
            self.assert_works()

    def test_other_consoles_do_not_mind(self):
        other = self.make_access(NOBODY)
        for _ in range(3):
            self.fail()
        with other.viewer() as viewer:
            self.assertEqual(FAILED, viewer.authenticate(other.password))
            self.assertIn("cannot be reached", viewer.reason())


class SessionTests(ViewerTestCase):
    agent_options = {"vnc": {"max_sessions": "2"}}

    def test_one_too_many_is_told_so(self):
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

    def test_sessions_leave_nothing_behind(self):
        before = self.open_files()
        for _ in range(20):
            self.assert_works()
        self.eventually(lambda: self.open_files() <= before)

    def test_a_viewer_that_does_not_read_does_not_fill_the_memory(self):
        with self.access.viewer() as viewer:
            viewer.authenticate(self.access.password)
            viewer.open()
            # 320 x 240 pixels of 4 bytes, again and again.
            ask = struct.pack(">BBHHHH", 3, 0, 0, 0, 320, 240)
            viewer.socket.settimeout(0.5)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(2000):
                    viewer.send(ask)
            status = Path(f"/proc/{self.agent.process.pid}/status")
            [line] = [
                line
                for line in status.read_text().splitlines()
                if line.startswith("VmRSS")
            ]
            self.assertLess(int(line.split()[1]), 150_000)


class AddressTests(AgentTestCase):
    """Without an address, a console is on all of them."""

    backend = "sqlite"

    def all_options(self):
        return {**super().all_options(), "vnc": {"listen_address": None}}

    def test_both_families_are_served(self):
        access = self.make_access(NOBODY)
        for address in ("127.0.0.1", "::1"):
            with self.subTest(address):
                if address == "::1" and not socket.has_dualstack_ipv6():
                    self.skipTest("This machine has no IPv6.")
                with RFBClient(access.port, address) as viewer:
                    self.assertEqual(16, len(viewer.ask_for_challenge()))


del AgentTestCase, ViewerTestCase
