# SPDX-License-Identifier: Apache-2.0
"""CORS, headers of proxies, and the health check."""

import json
import uuid

from console_api.api import routes
from console_api.tests.functional import base

ORIGIN = "https://dashboard.example.org"
CORS_HEADERS = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
)


def names(header):
    return {name.strip().lower() for name in (header or "").split(",")}


@base.on_each_database
class FrontTests(base.FunctionalTestCase):
    options = {
        "cors": {"allowed_origin": ORIGIN},
        "oslo_middleware": {"enable_proxy_headers_parsing": "true"},
        "noauth2": {"allow_remote": "true"},
    }

    def setUp(self):
        super().setUp()
        self.path = f"/servers/{uuid.uuid4()}/consoles"

    def test_preflight_request_is_allowed(self):
        for method in ("HEAD", *{route.method for route in routes.ROUTES}):
            with self.subTest(method):
                reply = self.client(None).request(
                    "OPTIONS",
                    self.path,
                    headers={
                        "Origin": ORIGIN,
                        "Access-Control-Request-Method": method,
                        "Access-Control-Request-Headers": "X-Auth-Token, "
                        "OpenStack-API-Version, Content-Type",
                    },
                )
                self.assertEqual(200, reply.status)
                self.assertEqual(
                    ORIGIN, reply.headers["Access-Control-Allow-Origin"]
                )
                self.assertIn(
                    method.lower(),
                    names(reply.headers["Access-Control-Allow-Methods"]),
                )
                self.assertLessEqual(
                    {"x-auth-token", "openstack-api-version"},
                    names(reply.headers["Access-Control-Allow-Headers"]),
                )

    def test_preflight_request_for_other_method_or_header(self):
        for origin, method in (
            ("https://elsewhere.example.org", "GET"),
            (ORIGIN, "PATCH"),
        ):
            with self.subTest(origin=origin, method=method):
                reply = self.client(None).request(
                    "OPTIONS",
                    self.path,
                    headers={
                        "Origin": origin,
                        "Access-Control-Request-Method": method,
                    },
                )
                self.assertIsNone(
                    reply.headers["Access-Control-Allow-Methods"]
                )

    def test_allowed_origin_may_read_every_response(self):
        headers = {"Origin": ORIGIN}
        for client, path, status in (
            (self.member, self.path, 200),
            (self.member, "/os-console-auth-tokens/x", 403),
            (self.member, "/nothing", 404),
            (self.client(None), self.path, 401),
            (self.client(None, prefix=""), "/v2.1", 200),
        ):
            with self.subTest(path, status=status):
                reply = client.get(path, headers=headers)
                self.assertEqual(status, reply.status)
                self.assertEqual(
                    ORIGIN, reply.headers["Access-Control-Allow-Origin"]
                )
                self.assertLessEqual(
                    {"x-openstack-request-id", "openstack-api-version"},
                    names(reply.headers["Access-Control-Expose-Headers"]),
                )

    def test_other_origins_get_no_cors_headers(self):
        for origin in ("https://elsewhere.example.org", "null", None):
            with self.subTest(origin):
                reply = self.member.get(self.path, headers={"Origin": origin})
                self.assertEqual(200, reply.status)
                for name in CORS_HEADERS:
                    self.assertIsNone(reply.headers[name])

    def test_links_use_forwarded_host(self):
        for headers, href in (
            (
                {
                    "X-Forwarded-Proto": "https",
                    "X-Forwarded-Host": "cloud.example.org",
                },
                "https://cloud.example.org/v2.1/",
            ),
            (
                {"Forwarded": "proto=https;host=cloud.example.org:8443"},
                "https://cloud.example.org:8443/v2.1/",
            ),
            (
                {
                    "X-Forwarded-Host": "cloud.example.org",
                    "X-Forwarded-Prefix": "/compute",
                },
                "http://cloud.example.org/compute/v2.1/",
            ),
        ):
            with self.subTest(href):
                anyone = self.client(None, prefix="", headers=headers)
                [version] = [
                    version
                    for version in anyone.get("/").json["versions"]
                    if version["id"] == "v2.1"
                ]
                shown = anyone.get("/v2.1").json["version"]
                self.assertEqual(href, version["links"][0]["href"])
                self.assertEqual(href, shown["links"][0]["href"])

    def test_address_of_client_is_logged(self):
        reply = self.member.get(
            "/os-console-auth-tokens/unknown",
            headers={"X-Forwarded-For": "192.0.2.77"},
        )
        [line] = self.log_lines(reply)
        self.assertIn('192.0.2.77 "GET ', line)


@base.on_each_database
class PlainFrontTests(base.FunctionalTestCase):
    """The default configuration."""

    def test_no_origin_is_allowed_by_default(self):
        reply = self.member.get(
            f"/servers/{uuid.uuid4()}/consoles", headers={"Origin": ORIGIN}
        )
        self.assertEqual(200, reply.status)
        for name in CORS_HEADERS:
            self.assertIsNone(reply.headers[name])

    def test_proxy_headers_are_ignored_by_default(self):
        reply = self.client(None, prefix="").get(
            "/v2.1",
            headers={
                "X-Forwarded-Host": "evil.example.org",
                "X-Forwarded-Prefix": "/evil",
                "Forwarded": "host=evil.example.org",
            },
        )
        self.assertEqual(
            f"{self.server.url}/v2.1/",
            reply.json["version"]["links"][0]["href"],
        )

    def test_healthcheck_returns_200(self):
        anyone = self.client(None, prefix="")
        for path in ("/healthcheck", "/healthcheck/"):
            reply = anyone.get(path)
            self.assertEqual((200, b"OK"), (reply.status, reply.body))
        reply = anyone.get(
            "/healthcheck", headers={"Accept": "application/json"}
        )
        self.assertEqual(200, reply.status)
        self.assertEqual(["OK", ""], json.loads(reply.body)["reasons"])
        reply = anyone.request("HEAD", "/healthcheck")
        self.assertIn(reply.status, (200, 204))
        self.assertEqual(b"", reply.body)

    def test_path_below_healthcheck_returns_404(self):
        reply = self.client(None, prefix="").get("/healthcheck/more")
        self.assert_fault(reply, 404)
