# SPDX-License-Identifier: Apache-2.0
"""Version discovery, which clients start with."""

from console_api.tests.functional import base

V2 = {
    "id": "v2.0",
    "status": "SUPPORTED",
    "version": "",
    "min_version": "",
    "updated": "2011-01-21T11:33:21Z",
}
V21 = {
    "id": "v2.1",
    "status": "CURRENT",
    "version": "2.104",
    "min_version": "2.1",
    "updated": "2013-07-23T11:33:21Z",
}
MEDIA_TYPE = "application/vnd.openstack.compute+json;version="


@base.on_each_database
class VersionTests(base.FunctionalTestCase):
    def setUp(self):
        super().setUp()
        # Without identity, at the root.
        self.anyone = self.client(None, prefix="")

    def links(self, name):
        return [{"rel": "self", "href": f"{self.server.url}/{name}/"}]

    def test_root_lists_versions(self):
        reply = self.anyone.get("/")
        self.assertEqual(200, reply.status)
        self.assertEqual("application/json", reply.headers["Content-Type"])
        self.assertEqual(
            {
                "versions": [
                    {**V2, "links": self.links("v2")},
                    {**V21, "links": self.links("v2.1")},
                ]
            },
            reply.json,
        )
        self.assert_version_headers(reply, None)

    def test_versions_are_shown_with_and_without_slash(self):
        def check(path, expected, name, number):
            reply = self.anyone.get(path)
            self.assertEqual(200, reply.status)
            self.assertEqual("application/json", reply.headers["Content-Type"])
            media_type = {
                "base": "application/json",
                "type": MEDIA_TYPE + number,
            }
            self.assertEqual(
                {
                    "version": {
                        **expected,
                        "links": self.links(name),
                        "media-types": [media_type],
                    }
                },
                reply.json,
            )

        self.each(
            [
                ("/v2.1", V21, "v2.1", "2.1"),
                ("/v2.1/", V21, "v2.1", "2.1"),
                ("/v2.1/?any=thing", V21, "v2.1", "2.1"),
                ("/v2", V2, "v2", "2"),
                ("/v2/", V2, "v2", "2"),
            ],
            check,
        )

    def test_links_use_host_header(self):
        reply = self.anyone.get("/v2.1", headers={"Host": "cloud.example:81"})
        self.assertEqual(
            [{"rel": "self", "href": "http://cloud.example:81/v2.1/"}],
            reply.json["version"]["links"],
        )

    def test_authentication_is_not_required(self):
        for token in ("", "nonsense", "user:project"):
            with self.subTest(token):
                reply = self.anyone.get(
                    "/v2.1", headers={"X-Auth-Token": token}
                )
                self.assertEqual(200, reply.status)

    def test_v2_1_negotiates_microversion(self):
        def check(asked, status, answered):
            reply = self.anyone.get("/v2.1/", version=asked)
            self.assertEqual(status, reply.status)
            self.assert_version_headers(reply, answered)
            if status == 200:
                self.assertEqual("2.104", reply.json["version"]["version"])
            else:
                self.assert_fault(reply, status)

        self.each(
            [
                (None, 200, "2.1"),
                ("2.99", 200, "2.99"),
                ("latest", 200, "2.104"),
                ("2.105", 406, "2.105"),
                ("2.x", 400, None),
            ],
            check,
        )

    def test_v2_ignores_microversions(self):
        for asked in ("2.99", "9.9", "nonsense"):
            with self.subTest(asked):
                reply = self.anyone.get("/v2/", version=asked)
                self.assertEqual(200, reply.status)
                self.assert_version_headers(reply, None)

    def test_head_is_get_without_body(self):
        for path in ("/", "/v2.1", "/v2.1/", "/v2/"):
            with self.subTest(path):
                shown = self.anyone.get(path)
                reply = self.anyone.request("HEAD", path)
                self.assertEqual((200, b""), (reply.status, reply.body))
                for name in ("Content-Type", "Content-Length"):
                    self.assertEqual(shown.headers[name], reply.headers[name])

    def test_options_is_get(self):
        for path in ("/", "/v2.1", "/v2.1/", "/v2", "/v2/"):
            with self.subTest(path):
                shown = self.anyone.get(path)
                reply = self.anyone.request("OPTIONS", path)
                self.assertEqual((200, shown.body), (reply.status, reply.body))

    def test_checks_of_load_balancers_succeed(self):
        """HAProxy sends HTTP/1.0 without a Host header by default."""
        for path in ("/", "/v2.1", "/v2.1/", "/v2", "/v2/", "/healthcheck"):
            for method in ("OPTIONS", "GET", "HEAD"):
                with self.subTest(path=path, method=method):
                    reply = self.anyone.raw(
                        f"{method} {path} HTTP/1.0\r\n\r\n".encode(), method
                    )
                    self.assertIn(reply.status, (200, 204))

    def test_other_methods_return_405(self):
        for path in ("/", "/v2.1", "/v2.1/", "/v2"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                with self.subTest(path=path, method=method):
                    reply = self.anyone.request(method, path)
                    self.assert_fault(reply, 405)
                    self.assertEqual(
                        "GET, HEAD, OPTIONS", reply.headers["Allow"]
                    )

    def test_unknown_path_returns_404(self):
        for path in ("/v1", "/v2.2/", "/v3/servers", "/v2.10", "/servers/x"):
            with self.subTest(path):
                reply = self.anyone.get(path)
                self.assert_fault(reply, 404)
                self.assertIn("below /v2.1", reply.message)
