# SPDX-License-Identifier: Apache-2.0
"""The gateway from its start to its end, and under many connections."""

import contextlib
import os
import signal
import socket
import socketserver
import ssl
import threading
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests import certificates
from console_api.tests.functional import base, configuration, gateways
from console_api.tests.functional.gateways import (
    GatewayTestCase,
    subprotocols,
)
from console_api.tests.functional.websocket_client import WebSocketStream


class _Echo(socketserver.BaseRequestHandler):
    """Sends back what arrives."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(4096):
                self.request.sendall(data)


class LifeTestCase(GatewayTestCase):
    """Tests with a serial console that echoes."""

    def setUp(self):
        super().setUp()
        display = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo)
        display.daemon_threads = True
        threading.Thread(target=display.serve_forever).start()
        self.addCleanup(display.server_close)
        self.addCleanup(display.shutdown)
        self.display_port = display.server_address[1]

    def open(self, gateway=None) -> WebSocketStream:
        """Open a session, and exchange bytes."""
        token = self.token_for(self.display_port, "serial", "serial")
        stream = (gateway or self.gateway).connect(f"/?token={token}")
        self.addCleanup(stream.close)
        self.assert_echoes(stream)
        return stream

    def assert_echoes(self, stream) -> None:
        """Assert that a session is open."""
        stream.sendall(b"hello")
        self.assertEqual(b"hello", stream.recv(5))

    def close_reasons(self) -> set[str | None]:
        """Return how the sessions of the test's project were closed."""
        sessions = tables.console_sessions
        rows = self.database.rows(
            sa.select(sessions.c.close_reason).where(
                sessions.c.project_id == self.project
            )
        )
        return {row.close_reason for row in rows}


@base.on_databases("sqlite")
class StopTests(LifeTestCase):
    def test_stopped_gateway_tells_viewers_and_api(self):
        streams = [self.open() for _ in range(3)]
        self.gateway.process.terminate()
        for stream in streams:
            self.assertEqual(1012, stream.wait_until_closed().code)
        self.assertEqual(0, self.gateway.process.wait(60))
        self.assertIsNone(self.gateway.monitor("/health"))
        self.assertEqual({"gateway_stopped"}, self.close_reasons())

    def test_page_resumes_at_another_gateway(self):
        token = self.token_for(self.display_port, "serial", "serial")
        console = self.gateway.exchange(token).json
        path = f"/connect/{console['console']}"
        offered = subprotocols(console["secret"])
        first = self.gateway.connect(path, subprotocols=offered)
        self.assert_echoes(first)
        other = self.start_gateway()
        self.gateway.process.terminate()
        self.assertEqual(1012, first.wait_until_closed().code)
        second = other.connect(path, subprotocols=offered)
        self.addCleanup(second.close)
        self.assert_echoes(second)

    def test_occupied_port_is_explained(self):
        options = {
            "gateway": {
                "port": str(self.gateway.port),
                "monitoring_port": str(self.gateway.port + 1),
            }
        }
        with self.assertRaises(gateways.NotReady) as caught:
            gateways.start(self.server, options)
        self.assertIn(
            "console-api-gateway: The gateway cannot listen as configured",
            str(caught.exception),
        )
        self.assertNotIn("Traceback", str(caught.exception))


@base.on_databases("sqlite")
class WorkerTests(LifeTestCase):
    gateway_workers = 2

    def worker_pids(self) -> list[int]:
        """Return the processes of the workers."""
        pid = self.gateway.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]

    def test_killed_worker_is_restarted(self):
        streams = [self.open() for _ in range(12)]
        first, second = self.worker_pids()
        os.kill(first, signal.SIGKILL)
        self.eventually(
            lambda: (
                len(self.worker_pids()) == 2
                and first not in self.worker_pids()
                and self.gateway.is_ready()
            )
        )
        self.assertIn(second, self.worker_pids())
        self.assertIn("Restarting it in 1 s", self.gateway.log)
        alive = 0
        for stream in streams:
            with contextlib.suppress(OSError, EOFError):
                stream.sendall(b"again")
                alive += stream.recv(5) == b"again"
        # The kernel distributes connections by a hash of their ports.
        self.assertTrue(0 < alive < 12, alive)
        self.open()

    def test_all_end_with_the_master(self):
        pids = self.worker_pids()
        stream = self.open()
        self.gateway.kill()
        self.assertEqual(1012, stream.wait_until_closed().code)
        self.eventually(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids)
        )

    def test_stop_drains_all_workers(self):
        streams = [self.open() for _ in range(6)]
        self.gateway.process.terminate()
        for stream in streams:
            self.assertEqual(1012, stream.wait_until_closed().code)
        self.assertEqual(0, self.gateway.process.wait(60))
        self.assertEqual({"gateway_stopped"}, self.close_reasons())


@base.on_databases("sqlite")
class TLSTests(LifeTestCase):
    def start_gateway(self, options=None):
        self.authority = certificates.make(configuration.temporary_folder())
        self.context = ssl.create_default_context(
            cafile=self.authority.ca_file
        )
        started = gateways.start(
            self.server,
            {
                "gateway": {
                    "tls_cert_file": str(self.authority.certificate_file),
                    "tls_key_file": str(self.authority.key_file),
                }
            },
            tls=self.context,
        )
        self.addCleanup(started.kill)
        return started

    def certificate(self) -> bytes | None:
        """Return the certificate of the gateway."""
        with (
            socket.create_connection(
                ("127.0.0.1", self.gateway.port)
            ) as connection,
            self.context.wrap_socket(
                connection, server_hostname="127.0.0.1"
            ) as tls,
        ):
            return tls.getpeercert(binary_form=True)

    def test_cookie_opens_session(self):
        token = self.token_for(self.display_port, "serial", "serial")
        answer = self.gateway.exchange(
            token, Origin=f"https://127.0.0.1:{self.gateway.port}"
        )
        self.assertEqual(200, answer.status, answer.body)
        self.assertIsNone(answer.json["secret"])
        cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
        for attribute in ("HttpOnly", "Secure", "Partitioned", "Path=/"):
            self.assertIn(attribute, attributes)
        stream = self.gateway.connect(
            f"/connect/{answer.json['console']}", cookie=cookie
        )
        self.addCleanup(stream.close)
        self.assert_echoes(stream)
        self.assert_not_logged(token, cookie.partition("=")[2])

    def test_new_certificate_is_used_without_restart(self):
        stream = self.open()
        before = self.certificate()
        new = certificates.make(configuration.temporary_folder())
        for name in ("key_file", "certificate_file"):
            file = getattr(self.authority, name)
            replacement = file.with_suffix(".new")
            replacement.write_bytes(getattr(new, name).read_bytes())
            replacement.rename(file)
        self.context.load_verify_locations(new.ca_file)
        self.assertNotEqual(before, self.certificate())
        self.assert_echoes(stream)


@base.on_databases("sqlite")
class ManyConnectionsTests(LifeTestCase):
    gateway_options = {"gateway": {"max_connections": "300"}}

    def memory(self) -> int:
        """Return the resident memory of the gateway, in bytes."""
        pages = Path(f"/proc/{self.gateway.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def connect_silently(self, count: int) -> None:
        """Open connections without sending a byte, and reset them."""
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                connection = stack.enter_context(
                    socket.create_connection(("127.0.0.1", self.gateway.port))
                )
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, bytes((1,) + 7 * (0,))
                )

    def test_silent_connections_leave_nothing_behind(self):
        stream = self.open()
        # More than there may be at a time: the oldest of them go.
        self.connect_silently(400)
        self.assert_echoes(stream)
        sizes, log = [self.memory()], self.gateway.log
        for _ in range(3):
            for _ in range(8):
                self.connect_silently(400)
            self.assert_echoes(stream)
            sizes.append(self.memory())
        self.open()
        # The allocator may take more at once; a leak grows each time.
        growths = [after - before for before, after in pairwise(sizes)]
        self.assertLess(min(growths), 2**23 // 3, growths)
        self.assertLess(len(self.gateway.log) - len(log), 2000)
        descriptors = Path(f"/proc/{self.gateway.pid}/fd")
        self.eventually(lambda: len(list(descriptors.iterdir())) < 50)
