# SPDX-License-Identifier: Apache-2.0
import unittest
from typing import Any

from console_api.api.controllers import versions
from console_api.tests.unit import base

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


def links(href: str) -> dict[str, Any]:
    return {"links": [{"rel": "self", "href": href}]}


class VersionListTest(unittest.TestCase):
    def test_root_lists_all_versions(self) -> None:
        reply = base.call(
            versions.VersionList(), environ={"HTTP_HOST": "host:8774"}
        )
        self.assertEqual(200, reply.status)
        self.assertEqual(
            {
                "versions": [
                    {**V2, **links("http://host:8774/v2/")},
                    {**V21, **links("http://host:8774/v2.1/")},
                ]
            },
            reply.json,
        )

    def test_links_keep_path_of_service(self) -> None:
        for script, base_url in (
            ("", "http://host"),
            ("/", "http://host"),
            ("/compute", "http://host/compute"),
            ("/a b", "http://host/a%20b"),
        ):
            with self.subTest(script):
                reply = base.call(
                    versions.VersionList(),
                    environ={"HTTP_HOST": "host", "SCRIPT_NAME": script},
                )
                [link] = reply.json["versions"][1]["links"]
                self.assertEqual(f"{base_url}/v2.1/", link["href"])

    def test_only_reads_are_allowed(self) -> None:
        for application in (
            versions.VersionList(),
            versions.Version("v2"),
            versions.Version("v2.1"),
        ):
            for method in ("POST", "PUT", "DELETE", "TRACE"):
                with self.subTest(method, application=application):
                    reply = base.call(application, method)
                    self.assertEqual(("badMethod", 405), reply.fault[:2])
                    self.assertEqual(
                        "GET, HEAD, OPTIONS", reply.headers["Allow"]
                    )

    def test_head_is_get_without_body(self) -> None:
        for application in (versions.VersionList(), versions.Version("v2.1")):
            get = base.call(application)
            head = base.call(application, "HEAD")
            self.assertEqual((200, b""), (head.status, head.body))
            self.assertEqual(
                list(get.headers.items()), list(head.headers.items())
            )


class VersionTest(unittest.TestCase):
    def call(self, name: str, **headers: str) -> base.Reply:
        return base.call(
            versions.Version(name),
            headers={key.replace("_", "-"): v for key, v in headers.items()},
            environ={"HTTP_HOST": "host", "SCRIPT_NAME": f"/compute/{name}"},
        )

    def test_each_version_describes_itself(self) -> None:
        for name, entry, number in (("v2", V2, "2"), ("v2.1", V21, "2.1")):
            with self.subTest(name):
                self.assertEqual(
                    {
                        "version": {
                            **entry,
                            **links(f"http://host/compute/{name}/"),
                            "media-types": [
                                {
                                    "base": "application/json",
                                    "type": "application/vnd.openstack."
                                    f"compute+json;version={number}",
                                }
                            ],
                        }
                    },
                    self.call(name).json,
                )

    def test_v2_1_negotiates_microversion(self) -> None:
        for asked, status, named in (
            (None, 200, "2.1"),
            ("2.31", 200, "2.31"),
            ("latest", 200, "2.104"),
            ("2.105", 406, "2.105"),
            ("x", 400, None),
        ):
            headers = {"X_OpenStack_Nova_API_Version": asked} if asked else {}
            with self.subTest(asked):
                reply = self.call("v2.1", **headers)
                self.assertEqual(status, reply.status)
                self.assertEqual(
                    named, reply.headers.get("X-OpenStack-Nova-API-Version")
                )

    def test_v2_ignores_microversions(self) -> None:
        reply = self.call("v2", X_OpenStack_Nova_API_Version="x")
        self.assertEqual(200, reply.status)
        self.assertNotIn("X-OpenStack-Nova-API-Version", reply.headers)
