# SPDX-License-Identifier: Apache-2.0
"""Validated tokens are cached in a real memcached."""

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

    def validations(self):
        """Return how many tokens Keystone has validated."""
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
        self.assertEqual(1, self.validations())
        # A revoked token is accepted while it is cached.
        revoked = self.identity.issue("user", self.project, "member")
        ask(other, revoked)
        self.identity.revoke(revoked)
        ask(other, revoked)
        self.assertEqual(2, self.validations())
        # A memcached that hangs, and one that refuses connections.
        self.proxy.stall()
        ask(self.server)
        self.assertEqual(3, self.validations())
        self.proxy.cut()
        ask(other)
        self.assertEqual(4, self.validations())
        self.assert_not_logged(token, "a-secret-of-the-cache")
