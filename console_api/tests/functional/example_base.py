# SPDX-License-Identifier: Apache-2.0
"""Base class of the tests of deployment examples."""

import json
import os
import re
import signal
import socket
import struct

from console_api.tests.functional import base, configuration, examples
from console_api.tests.functional.examples import Program
from console_api.tests.ports import free_port

#: The address of the API in the examples.
ADDRESS = "127.0.0.1:9890"

INDEX = "os_compute_api:os-consoles:index"

NOVNC = {"remote_console": {"protocol": "vnc", "type": "novnc"}}

SINCE = re.compile(rb"^console_api_policy_refused_since\w* .*", re.MULTILINE)

# Closes a socket with a reset, so that the response cannot be sent.
NO_LINGER = struct.pack("ii", 1, 0)

# Headers that a client forges to simulate a proxy.
FORGED = {
    "Forwarded": "proto=ftp;host=evil.example.org",
    "X-Forwarded-Host": "evil.example.org",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "192.0.2.66",
    "SCRIPT_NAME": "/evil",
}


class ExampleTestCase(base.FunctionalTestCase):
    """Tests of one example on SQLite."""

    backend = "sqlite"
    scheme = "http"

    def choose_server(self) -> Program:
        self.folder = configuration.temporary_folder()
        program = self.start(free_port())
        self.addCleanup(program.kill)
        return program

    def start(self, port: int) -> Program:
        """Start the example with a configuration in the test's folder."""
        raise NotImplementedError

    def configure(self, **options) -> None:
        """Write the configuration of the API."""
        configuration.write(self.folder, self.database, options)

    def use(self) -> str:
        """Send all kinds of requests.

        :returns: a console auth token, which must not be in any log
        """
        anyone = self.client(None, prefix="")
        self.assertEqual(200, anyone.get("/healthcheck").status)
        self.assertEqual(200, anyone.request("OPTIONS", "/").status)
        server_id = self.make_server()
        self.make_console_host()
        consoles = f"/servers/{server_id}/consoles"
        reply = self.member.post(consoles, {"console": {}})
        self.assertEqual(200, reply.status, reply.body)
        [listed] = self.member.get(consoles).json["consoles"]
        path = f"{consoles}/{listed['console']['id']}"
        self.assertEqual(200, self.member.get(path).status)
        self.assertEqual(202, self.member.delete(path).status)
        self.assertEqual([], self.member.get(consoles).json["consoles"])
        token = self.issue_token(server_id)
        reply = self.admin.get(
            f"/os-console-auth-tokens/{token}", version="2.99"
        )
        self.assertEqual(200, reply.status)
        # Failed requests are logged, and their paths could be as well.
        reply = self.admin.get(f"/os-console-auth-tokens/{token}x?y={token}")
        self.assertEqual(404, reply.status)
        self.eventually(lambda: reply.request_id in self.server.log)
        self.assert_not_logged(token)
        self.check_links(anyone)
        body = json.dumps(NOVNC).encode()
        reply = self.member.post(
            f"/servers/{server_id}/remote-consoles",
            iter([body[:9], body[9:]]),
            version="2.6",
        )
        self.assertEqual(200, reply.status, reply.body)
        return token

    def hang_up_on(self, token: str) -> None:
        """Look up a token and disconnect before the response."""
        request = (
            f"GET /v2.1/os-console-auth-tokens/{token} HTTP/1.1\r\n"
            f"Host: localhost:{self.server.port}\r\n"
            f"X-Auth-Token: gone:{self.project}\r\n\r\n"
        )

        def is_received() -> bool:
            with socket.create_connection(
                ("127.0.0.1", self.server.port), examples.TIMEOUT
            ) as connection:
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER
                )
                connection.sendall(request.encode())
            return f" gone {self.project} " in self.server.log

        # Sometimes the reset overtakes the request.
        self.eventually(is_received)

    def check_links(self, anyone) -> None:
        """Check that forged headers do not change links."""
        href = f"{self.scheme}://127.0.0.1:{self.server.port}/v2.1/"
        shown = anyone.get("/v2.1", headers=FORGED).json["version"]
        self.assertEqual(href, shown["links"][0]["href"])

    def assert_workers_survive_broken_policy(self) -> None:
        """Assert that killed workers are replaced while policy is broken.

        The successors use the rules that were loaded last.
        """
        policy = self.folder / "policy.yaml"
        path = f"/servers/{self.make_server()}/consoles"
        auditor = self.client("carol", roles="auditor")
        policy.write_text(f'"{INDEX}": "role:auditor"\n')
        self.eventually(lambda: auditor.get(path).status == 200)
        draft = self.folder / "draft.yaml"
        draft.write_text(f'"{INDEX}": !\n')
        draft.rename(policy)
        refusal = f"{policy}:1: {INDEX}: "
        workers = self.workers()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        self.eventually(lambda: len(self.workers() - workers) == len(workers))
        self.eventually(lambda: self.server.log.count(refusal) >= len(workers))
        metrics = self.client(None, prefix="")
        since = set()
        for _ in range(2 * len(workers)):
            self.assertEqual(200, auditor.get(path).status)
            self.assertEqual(403, self.member.get(path).status)
            since |= {*SINCE.findall(metrics.get("/metrics").body)}
        # All workers return the time of the edit.
        self.assertEqual(1, len(since), since)
        policy.write_text(f'"{INDEX}": "role:reader or role:member"\n')
        self.eventually(lambda: self.member.get(path).status == 200)

    def workers(self) -> set[int]:
        """Return the processes that the main process has started."""
        return set(self.server.processes()) - {self.server.process.pid}

    def assert_terminates(self) -> None:
        """Assert that SIGTERM terminates all processes of the program."""
        self.assertLess(1, len(self.server.processes()))
        self.server.terminate()
        self.server.wait()
        self.eventually(lambda: not self.server.processes())

    def assert_drains(self, log_message: str) -> None:
        """Assert that SIGTERM terminates it after pending requests.

        :param log_message: what the program logs when it receives SIGTERM
        """
        body = json.dumps(NOVNC).encode()
        server_id = self.make_server()
        head = (
            f"POST /v2.1/servers/{server_id}/remote-consoles HTTP/1.1\r\n"
            f"Host: localhost:{self.server.port}\r\n"
            "Content-Type: application/json\r\n"
            "OpenStack-API-Version: compute 2.6\r\n"
            f"X-Auth-Token: user:{self.project}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(
            ("127.0.0.1", self.server.port), examples.TIMEOUT
        ) as connection:
            connection.sendall(head.encode() + body[:5])
            # Earlier connections are accepted first.
            self.client(None, prefix="").get("/")
            self.assertLess(1, len(self.server.processes()))
            self.server.terminate()
            self.eventually(lambda: log_message in self.server.log)
            connection.sendall(body[5:])
            answer = connection.makefile("rb").readline()
        self.assertIn(b" 200 ", answer, self.server.log)
        self.server.wait()
        self.eventually(lambda: not self.server.processes())
