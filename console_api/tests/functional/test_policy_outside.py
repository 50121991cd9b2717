# SPDX-License-Identifier: Apache-2.0
"""Policy rules that ask another server."""

import socket
from concurrent.futures import ThreadPoolExecutor

from console_api.tests import waiting
from console_api.tests.functional import base

INDEX = "os_compute_api:os-consoles:index"

_THREADS = 8
_MAX_CHECKS = 2


# Independent of the database.
@base.on_databases("sqlite")
class UnresponsiveServerTests(base.FunctionalTestCase):
    def choose_server(self):
        # A server that accepts connections and never responds.
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(self.listener.close)
        server = self.start_server(
            {
                "api": {"max_remote_policy_checks": str(_MAX_CHECKS)},
                "oslo_policy": {"remote_timeout": str(waiting.TIMEOUT)},
            },
            threads=_THREADS,
        )
        port = self.listener.getsockname()[1]
        policy = server.folder / "policy.yaml"
        policy.write_text(f'"{INDEX}": "http://127.0.0.1:{port}/"\n')
        return server

    def test_other_requests_find_free_threads(self):
        path = f"/servers/{self.make_server()}/consoles"
        self.eventually(lambda: self.has_reloaded(path))
        clients = [self.client("reader") for _ in range(_THREADS)]
        with ThreadPoolExecutor(_THREADS) as pool:
            replies = [pool.submit(each.get, path) for each in clients]
            refused = _THREADS - _MAX_CHECKS
            self.eventually(lambda: sum(r.done() for r in replies) == refused)
            # The others still wait, and the rest of the API responds.
            self.assertEqual(404, self.member.get(f"{path}/0").status)
            self.assertEqual(refused, sum(r.done() for r in replies))
            self.listener.close()
            for reply in replies:
                fault = reply.result()
                self.assertEqual(503, fault.status)
                self.assertIn("Retry-After", fault.headers)
                self.assertNotIn("127.0.0.1", str(fault.json))

    def has_reloaded(self, path):
        # A request examines the policy files.
        self.member.get(f"{path}/0")
        return "Reloaded the policy files." in self.server.log
