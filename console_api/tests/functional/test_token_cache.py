# SPDX-License-Identifier: Apache-2.0
"""What Keystone says of a token is kept in a real memcached."""

from console_api.tests.functional import base, identity, memcached
from console_api.tests.functional.identity import options
from console_api.tests.functional.tcp_proxy import TCPProxy


class TokenCacheTests(base.FunctionalTestCase):
    backend = "sqlite"

    def choose_server(self):
        self.identity = identity.IdentityService()
        self.addCleanup(self.identity.stop)
        self.memcached = memcached.start()
        self.addCleanup(self.memcached.stop)
        self.proxy = TCPProxy("127.0.0.1", self.memcached.port)
        self.addCleanup(self.proxy.cut)
        self.settings = options(self.identity.url)
        self.settings["keystone_authtoken"] |= {
            "memcached_servers": f"127.0.0.1:{self.proxy.port}",
            "memcache_security_strategy": "ENCRYPT",
            "memcache_secret_key": "a-secret-of-the-cache",
            "memcache_pool_socket_timeout": "1",
        }
        return self.start_server(self.settings)

    def questions(self):
        """Return how often Keystone was asked whose token it is."""
        return self.identity.requests.count("GET /v3/auth/tokens")

    def test_tokens_are_cached_while_memcached_is_available(self):
        path = f"/servers/{self.make_server()}/consoles"
        token = self.identity.issue("user", self.project, "member")

        def ask(server, token=token):
            reply = server.client(headers={"X-Auth-Token": token}).get(path)
            self.assertEqual(200, reply.status)

        other = self.start_server(self.settings)
        for server in (self.server, other, self.server):
            ask(server)
        self.assertEqual(1, self.questions())
        # As the guide says: it counts for as long as it is kept.
        revoked = self.identity.issue("user", self.project, "member")
        ask(other, revoked)
        self.identity.revoke(revoked)
        ask(other, revoked)
        self.assertEqual(2, self.questions())
        # One that hangs, and one that refuses connections.
        self.proxy.stall()
        ask(self.server)
        self.assertEqual(3, self.questions())
        self.proxy.cut()
        ask(other)
        self.assertEqual(4, self.questions())
        self.assert_not_logged(token, "a-secret-of-the-cache")
