# SPDX-License-Identifier: Apache-2.0
"""The pipeline without authentication."""

import socket
import unittest
import uuid

from console_api.tests.functional import base

REMOTE_REFUSED = (
    "Without authentication, only direct requests from this machine to "
    "localhost or 127.0.0.1 and the port of this service are served. Set "
    "[api] auth_strategy to keystone, or [noauth2] allow_remote to true."
)


def own_address():
    """Return an address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing, but selects the local address.
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith(("127.", "0.")) else address


def has_ipv6():
    """Return whether this machine has the IPv6 loopback address."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return socket.has_dualstack_ipv6()


@base.on_each_database
class IdentityTests(base.FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.server_id, self.console_id = self.make_console()
        self.path = f"/servers/{self.server_id}/consoles"

    def statuses(self, client):
        """Return the statuses of list, show and token look-up."""
        return [
            client.get(self.path).status,
            client.get(f"{self.path}/{self.console_id}").status,
            client.get("/os-console-auth-tokens/unknown").status,
        ]

    def test_malformed_token_returns_401(self):
        for token in (
            *(None, "", ":", "user", "user:", f":{self.project}", "admin:"),
            *("x" * 256 + ":p", "p:" + "x" * 256, " ", "\xff"),
        ):
            with self.subTest(token):
                reply = self.client(None).get(
                    self.path, headers={"X-Auth-Token": token}
                )
                self.assert_fault(
                    reply,
                    401,
                    "Send X-Auth-Token: USER:PROJECT to identify yourself.",
                )
                self.assert_version_headers(reply, None)

    def test_longest_names_are_accepted(self):
        client = self.client("x" * 255, project="y" * 255)
        self.assertEqual(200, client.get(self.path).status)

    def test_roles_depend_on_user(self):
        for user, expected in (
            ("admin", [200, 200, 404]),
            ("user", [200, 200, 403]),
            ("Admin", [200, 200, 403]),
            ("administrator", [200, 200, 403]),
        ):
            with self.subTest(user):
                self.assertEqual(expected, self.statuses(self.client(user)))

    def test_roles_header_overrides_roles(self):
        for roles, expected in (
            ("admin", [200, 200, 404]),
            ("service", [403, 403, 404]),
            ("reader", [200, 403, 403]),
            ("reader,service", [200, 403, 404]),
            ("reader, member", [200, 200, 403]),
            ("", [403, 403, 403]),
            (",", [403, 403, 403]),
            ("unknown", [403, 403, 403]),
            ("\xe9,*,%(role)s", [403, 403, 403]),
            ("unknown,admin", [200, 200, 404]),
            ("x" * 4000, [403, 403, 403]),
        ):
            for user in ("admin", "user"):
                with self.subTest(roles[:20], user=user):
                    client = self.client(user, roles=roles)
                    self.assertEqual(expected, self.statuses(client))

    def test_other_identity_headers_are_ignored(self):
        stranger = self.client("stranger", project=uuid.uuid4().hex)
        expected = [200, 404, 403]
        self.assertEqual(expected, self.statuses(stranger))
        for name, value in (
            ("X-Project-Id", self.project),
            ("X-Tenant-Id", self.project),
            ("X-Tenant", self.project),
            ("X_Project_Id", self.project),
            ("X-User-Id", "admin"),
            ("X-User", "admin"),
            ("X-Role", "admin"),
            ("X_Roles", "admin"),
            ("X-Is-Admin-Project", "True"),
            ("X-Service-Roles", "admin,service"),
            ("X-Service-Token", f"admin:{self.project}"),
            ("X-Service-Project-Id", self.project),
            ("OpenStack-System-Scope", "all"),
            ("X-Domain-Id", "default"),
            ("X-Identity-Status", "Confirmed"),
            ("X-Identity-Status", "Invalid"),
        ):
            with self.subTest(name, value=value):
                headers = {name: value}
                client = self.client(
                    "stranger", project=stranger.project, headers=headers
                )
                self.assertEqual(expected, self.statuses(client))
                self.assertEqual({"consoles": []}, client.get(self.path).json)
                anonymous = self.client(None, headers=headers)
                self.assertEqual([401] * 3, self.statuses(anonymous))

    def test_forwarded_requests_are_refused(self):
        for name in (
            *("X-Forwarded-For", "Forwarded", "X-Forwarded-Host"),
            *("X-Forwarded-Proto", "X-Real-IP", "Via"),
        ):
            for value in ("192.0.2.7", "127.0.0.1", ""):
                with self.subTest(name, value=value):
                    reply = self.admin.get(self.path, headers={name: value})
                    self.assert_fault(reply, 403, REMOTE_REFUSED)

    def test_other_host_headers_are_refused(self):
        for host, status in (
            (f"LOCALHOST:{self.server.port}", 200),
            (f"rebound.example.org:{self.server.port}", 403),
            ("localhost", 403),
            ("localhost:1", 403),
        ):
            with self.subTest(host):
                reply = self.admin.get(self.path, headers={"Host": host})
                self.assertEqual(status, reply.status)


@base.on_each_database
class RemoteTests(base.FunctionalTestCase):
    """A server that listens on all addresses of the machine."""

    def choose_server(self):
        self.addresses = ["127.0.0.1", "127.1.2.3"]
        if has_ipv6():
            self.addresses.append("::1")
            return self.start_server(address="::")
        return self.start_server(address="0.0.0.0")

    def test_loopback_addresses_are_served(self):
        for address in self.addresses:
            with self.subTest(address):
                reply = self.client("user", host=address).get(
                    f"/servers/{uuid.uuid4()}/consoles"
                )
                self.assertEqual(200, reply.status, reply.body)

    def test_other_addresses_are_refused(self):
        address = own_address()
        if address is None:
            raise unittest.SkipTest("This machine has only loopback addresses")
        client = self.client("admin", host=address)
        for path in (f"/servers/{uuid.uuid4()}/consoles", "/nothing"):
            self.assert_fault(client.get(path), 403, REMOTE_REFUSED)
        self.assertEqual(200, client.get("/", prefix="").status)


@base.on_each_database
class AllowRemoteTests(base.FunctionalTestCase):
    options = {"noauth2": {"allow_remote": "true"}}

    def test_all_callers_are_served(self):
        reply = self.member.get(
            f"/servers/{uuid.uuid4()}/consoles",
            headers={"X-Forwarded-For": "192.0.2.7"},
        )
        self.assertEqual(200, reply.status)
