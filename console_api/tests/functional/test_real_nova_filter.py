# SPDX-License-Identifier: Apache-2.0
"""The filter in the pipeline of a real Nova, compared with a Nova alone."""

import re
import uuid
from collections.abc import Iterator

import requests

from console_api.tests.functional import (
    nova_filter,
    openstack_command,
    test_console_listing,
    test_consoles,
)
from console_api.tests.functional.client import Reply
from console_api.tests.functional.nova import API
from console_api.tests.functional.nova_base import (
    CloudTestCase,
    NovaServerTestCase,
)

_LATEST = "2.100"

_VARIABLE_PARTS = re.compile(
    rb'req-[0-9a-f-]{36}|"updated": "[^"]*"|(?<=token%3D)[0-9a-f-]{36}'
)
_VARIABLE_HEADERS = ("date", "x-openstack-request-id", "x-compute-request-id")


class FilterTest(NovaServerTestCase):
    """The filter with the options of the guide."""

    backend = "mysql"

    def choose_server(self) -> API:
        return nova_filter.shared(self.nova)

    def send(
        self,
        method: str,
        path: str,
        *,
        api: API | None = None,
        token: str | None = None,
        prefix: str = "/v2.1",
    ) -> Reply:
        return (
            (api or self.server)
            .client(prefix=prefix)
            .request(
                method, path, headers={"X-Auth-Token": token or self.token}
            )
        )

    def test_filter_replaces_410_of_nova(self):
        for method, path in (
            ("GET", self.path),
            ("POST", self.path),
            ("GET", f"{self.path}/1"),
            ("DELETE", f"{self.path}/1"),
        ):
            reply = self.send(method, path, api=self.nova.api)
            self.assertEqual(410, reply.status, reply.body)
        for prefix in ("/v2.1", f"/v2.1/{self.project}", "/v2"):
            with self.subTest(prefix):
                reply = self.send("POST", self.path, prefix=prefix)
                self.assertEqual((200, b""), (reply.status, reply.body))
                reply = self.send("GET", self.path, prefix=prefix)
                [entry] = reply.json["consoles"]
                path = f"{self.path}/{entry['console']['id']}"
                shown = self.send("GET", path, prefix=prefix)
                console = shown.json["console"]
                self.assertRegex(
                    console["instance_name"], "^instance-[0-9a-f]{8}$"
                )
                reply = self.send("DELETE", path, prefix=prefix)
                self.assertEqual(202, reply.status)
                reply = self.send("GET", path, prefix=prefix)
                self.assert_fault(reply, 404)

    def test_policy_target_is_project_of_the_server(self):
        self.assertEqual(200, self.send("POST", self.path).status)
        other = self.keystone.make_project()
        reader = self.keystone.make_token(self.project, "reader")
        stranger = self.keystone.make_token(other, "manager")
        for token, listed, status in ((reader, 1, 403), (stranger, 0, 404)):
            reply = self.send("GET", self.path, token=token)
            self.assertEqual(listed, len(reply.json["consoles"]))
            reply = self.send("POST", self.path, token=token)
            self.assert_fault(reply, status)
        # Nova does not show the server to callers without its roles.
        service = self.keystone.make_token(self.project, "service")
        self.assert_fault(self.send("GET", self.path, token=service), 403)
        reply = self.send("POST", self.path, token="nonsense")
        self.assertEqual(401, reply.status)

    def test_metrics_are_served_beside_nova(self):
        reply = requests.get(f"{self.server.url}/console-metrics", timeout=60)
        self.assertEqual(200, reply.status_code)
        self.assertIn("console_api_policy_last_reload", reply.text)

    def test_deleted_server_has_no_consoles(self):
        self.assertEqual(200, self.send("POST", self.path).status)
        self.nova.delete_server(self.server_id)
        self.assertEqual({"consoles": []}, self.send("GET", self.path).json)
        self.assert_fault(self.send("POST", self.path), 404)

    def test_openstack_command_finds_server_by_name(self):
        def run(*arguments: str) -> openstack_command.Outcome:
            return openstack_command.run(self.server, self.token, *arguments)

        command = ("server", "console")
        created = run(*command, "create", "web1", "-f", "json")
        self.assertEqual(0, created.status, created.stderr)
        listed = run(*command, "list", "web1", "-f", "json")
        self.assertEqual(
            [row.id for row in self.console_rows(self.server_id)],
            [row["ID"] for row in listed.json],
        )

    def test_other_responses_are_unchanged(self):
        self.token = self.keystone.make_token(self.project, "admin")
        count = 0
        for method, path in self.all_requests():
            body = b"{}" if method in ("POST", "PUT") else None
            for version in ("2.1", _LATEST):
                with self.subTest(path, method=method, version=version):
                    self.compare(method, path, version, body)
                count += 1
        self.assertGreater(count, 400)

    def test_bodies_and_identities_reach_nova_unchanged(self):
        server = f"/servers/{self.server_id}"
        action, metadata = f"{server}/action", f"{server}/metadata"
        document = b'{"metadata": {"a": "' + b"b" * 200 + b'"}}'
        for method, path, body in (
            ("POST", metadata, document),
            ("POST", metadata, iter([document[:9], document[9:]])),
            ("PUT", server, b'{"server": {"name": "\xc3\xa4"}}'),
            ("POST", action, b'{"reboot": {}}'),
            ("POST", action, b'{"os-getVNCConsole": {"type": "novnc"}}'),
            ("POST", action, b"{"),
            ("POST", "/servers", b"\xff" * 200_000),
        ):
            for token in (self.token, "nonsense", ""):
                with self.subTest(path, body=body, token=token):
                    self.compare(method, path, "2.1", body, token)

    def all_requests(self):
        """Iterate over requests for each operation of Nova, and others."""
        for route, method in self.nova.routes():
            # Both APIs share the database, so requests that would change
            # something are sent for servers that do not exist.
            server = self.server_id
            if method not in ("GET", "HEAD"):
                server = str(uuid.uuid4())
            path = re.sub(r"(?<=^/servers/){(server_)?id}", server, route)
            if not path.startswith(f"/servers/{server}/consoles"):
                yield method, re.sub("{[a-z_]+}", "999999", path)
        for path in ("", "/", "/unknown", f"/servers/{self.server_id}/"):
            for method in ("GET", "HEAD", "OPTIONS", "PUT"):
                yield method, path
        for method in ("PUT", "PATCH", "OPTIONS"):
            yield method, self.path

    def compare(self, method, path, version, body, token=None) -> None:
        """Assert that the filter does not change the response to a request."""
        sent = list(body) if isinstance(body, Iterator) else body
        filtered, unfiltered = (
            self.comparable(
                requests.request(
                    method,
                    f"{api.url}/v2.1{path}",
                    data=iter(sent) if isinstance(sent, list) else sent,
                    headers={
                        # Nova creates links from this name.
                        "Host": "nova.example.org",
                        "Content-Type": "application/json",
                        "OpenStack-API-Version": f"compute {version}",
                        "X-Auth-Token": token or self.token,
                    },
                    allow_redirects=False,
                    timeout=60,
                )
            )
            for api in (self.server, self.nova.api)
        )
        self.assertEqual(unfiltered, filtered)

    def comparable(self, reply: requests.Response) -> tuple[object, ...]:
        headers = [
            (name.lower(), value)
            for name, value in reply.headers.items()
            if name.lower() not in _VARIABLE_HEADERS
        ]
        body = _VARIABLE_PARTS.sub(b"", reply.content)
        return reply.status_code, headers, body


class AllResourcesTestCase(CloudTestCase):
    """The filter with all resources, and the directory `database`."""

    backend = "mysql"

    def choose_server(self) -> API:
        return nova_filter.shared(self.nova)

    def client(self, user: str | None, **kwargs):
        kwargs = {"prefix": nova_filter.OURS, **kwargs}
        return super().client(user, **kwargs)


class ConsolesTest(AllResourcesTestCase, test_consoles.ConsoleTests_mysql):
    """The filter passes the tests of a separate service."""


class ConsoleListingTest(
    AllResourcesTestCase, test_console_listing.ListingTests_mysql
):
    """The filter serves the list that Nova does not have."""


class TokensTest(AllResourcesTestCase):
    """The filter looks up its own tokens, and passes on others."""

    def test_tokens_are_looked_up_where_they_were_issued(self):
        server_id = self.nova.make_server(self.project)
        for token, host in (
            (self.nova.issue_token(server_id), "compute-1.example.org"),
            (self.issue_token(self.make_server()), "192.0.2.10"),
        ):
            with self.subTest(host):
                path = f"/os-console-auth-tokens/{token}"
                reply = self.admin.get(path, version="2.31")
                self.assertEqual(200, reply.status, reply.body)
                self.assertEqual(host, reply.json["console"]["host"])
                reply = self.member.get(path, version="2.31")
                self.assertEqual(403, reply.status, reply.body)

    def test_own_tokens_are_revoked(self):
        server_id = self.make_server()
        one, other = (self.issue_token(server_id) for _ in range(2))
        path = f"/os-console-auth-tokens/{one}"
        for status in (204, 404):
            self.assertEqual(status, self.member.delete(path).status)
        self.assertEqual(1, self.count_tokens(server_id))
        reply = self.member.delete(f"/servers/{server_id}/remote-consoles")
        self.assertEqual(204, reply.status, reply.body)
        for token in (one, other):
            path = f"/os-console-auth-tokens/{token}"
            # Nova, which the look-up is passed on to, does not have it.
            reply = self.admin.get(path, version="2.31")
            self.assertEqual(404, reply.status)

    def test_token_of_nova_is_not_found_for_revocation(self):
        token = self.nova.issue_token(self.nova.make_server(self.project))
        path = f"/os-console-auth-tokens/{token}"
        reply = self.admin.delete(path)
        self.assert_fault(reply, 404, "Token not found")
        self.assertEqual(200, self.admin.get(path, version="2.31").status)


class ConsoleHostsTest(AllResourcesTestCase):
    """The filter serves console hosts, which Nova does not have."""

    def test_host_is_disabled(self):
        host = self.make_console_host()
        path = f"/os-console-hosts/vnc+xvp/{host}"
        body = {"console_host": {"enabled": False}}
        reply = self.admin.request("PUT", path, body=body)
        self.assertEqual(200, reply.status, reply.body)
        self.assertEqual(reply.json, self.admin.get(path).json)
        self.assertFalse(self.console_host(host).enabled)
