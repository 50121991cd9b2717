# SPDX-License-Identifier: Apache-2.0
"""The list of console hosts over HTTP."""

import datetime as dt
import time

from console_api.tests.functional import base

PATH = "/os-console-hosts"


@base.on_each_database
class ConsoleHostsTests(base.FunctionalTestCase):
    def find(self, name, **request):
        """Return a console host from the list."""
        reply = self.admin.get(PATH, **request)
        self.assertEqual(200, reply.status, reply.body)
        [found] = [
            host
            for host in reply.json["console_hosts"]
            if host["host"] == name
        ]
        return found

    def test_list_shows_host_with_console(self):
        seen = int(time.time())
        name = self.make_console_host(last_seen_at=seen)
        self.admin.post(f"/servers/{self.make_server()}/consoles")
        self.assertEqual(
            {
                "host": name,
                "console_type": "vnc+xvp",
                "public_hostname": f"{name}.example.org",
                "compute_hosts": [self.compute_host],
                "ports": {"min": 20000, "max": 20009},
                "enabled": True,
                "state": "up",
                "trouble": None,
                "consoles": 1,
                "served": 0,
                "failed": 0,
                "ports_used": 1,
                "version": None,
                "driver": None,
                "last_seen_at": dt.datetime.fromtimestamp(
                    seen, dt.UTC
                ).isoformat(),
            },
            self.find(name),
        )

    def test_multiplexed_consoles_use_one_port(self):
        name = self.make_console_host(multiplex_port=443)
        for _ in range(2):
            self.admin.post(f"/servers/{self.make_server()}/consoles")
        found = self.find(name)
        self.assertEqual({"multiplex": 443}, found["ports"])
        self.assertEqual((2, 1), (found["consoles"], found["ports_used"]))

    def test_list_shows_state_of_down_and_disabled_hosts(self):
        name = self.make_console_host(last_seen_at=None, enabled=False)
        found = self.find(name)
        self.assertEqual(
            ("down", None, False),
            (found["state"], found["last_seen_at"], found["enabled"]),
        )

    def test_list_is_sorted_by_host_and_type(self):
        name = self.make_console_host()
        self.make_console_host(host=name, console_type="vnc")
        self.make_console_host(host=f"{name}-a")
        reply = self.admin.get(PATH)
        self.assertEqual(
            [(name, "vnc"), (name, "vnc+xvp"), (f"{name}-a", "vnc+xvp")],
            [
                (host["host"], host["console_type"])
                for host in reply.json["console_hosts"]
                if host["host"].startswith(name)
            ],
        )

    def test_list_exists_in_every_microversion(self):
        name = self.make_console_host()
        for version in (None, "2.1", "2.5", "2.99", "latest"):
            for prefix in ("/v2.1", f"/v2.1/{self.project}", "/v2"):
                with self.subTest(version, prefix=prefix):
                    self.find(name, version=version, prefix=prefix)

    def test_unknown_parameters_are_ignored(self):
        name = self.make_console_host()
        reply = self.admin.get(f"{PATH}?limit=x&unknown=1", version="2.99")
        self.assertEqual(200, reply.status, reply.body)
        self.assertIn(name, reply.body.decode())

    def item(self, method, name, **request):
        return self.admin.request(method, f"{PATH}/vnc+xvp/{name}", **request)

    def test_show_is_as_in_the_list(self):
        name = self.make_console_host()
        for path in (f"{PATH}/vnc+xvp/{name}", f"{PATH}/vnc%2Bxvp/{name}"):
            for prefix in ("/v2.1", f"/v2.1/{self.project}", "/v2"):
                with self.subTest(path, prefix=prefix):
                    reply = self.admin.get(path, prefix=prefix)
                    self.assertEqual(200, reply.status, reply.body)
                    self.assertEqual(
                        {"console_host": self.find(name)}, reply.json
                    )

    def test_update_enables_and_disables(self):
        name = self.make_console_host()
        server = f"/servers/{self.make_server()}/consoles"
        for enabled in (False, False, True):
            body = {"console_host": {"enabled": enabled}}
            reply = self.item("PUT", name, body=body)
            self.assertEqual(200, reply.status, reply.body)
            self.assertEqual({"console_host": self.find(name)}, reply.json)
            self.assertEqual(enabled, self.console_host(name).enabled)
            status = self.admin.post(server).status
            self.assertEqual(200 if enabled else 503, status)

    def test_invalid_bodies_change_nothing(self):
        name = self.make_console_host()
        for body in (
            *(None, b"{", [], {}, {"console_host": {}}, {"enabled": False}),
            {"console_host": {"enabled": "false"}},
            {"console_host": {"enabled": None}},
            {"console_host": {"enabled": False, "host": "other"}},
            {"console_host": {"enabled": False}, "other": 1},
        ):
            with self.subTest(body):
                self.assert_fault(self.item("PUT", name, body=body), 400)
        self.assertTrue(self.console_host(name).enabled)

    def test_unknown_hosts_return_404(self):
        name = self.make_console_host()
        body = {"console_host": {"enabled": False}}
        for path in (
            *(f"vnc/{name}", f"vnc+xvp/{name}x", f"vnc+xvp/{name}%00"),
            *("%00/x", "vnc/%ff", "vnc/%20", "a/" + "a" * 10_000),
            *("vnc/%F0%9F%92%A9", f"vnc+xvp/%25{name}", f"vnc+xvp/{name}%0A"),
        ):
            with self.subTest(path[:60]):
                for method in ("GET", "PUT"):
                    reply = self.admin.request(
                        method, f"{PATH}/{path}", body=body
                    )
                    self.assert_fault(reply, 404)
                    self.assertIn("Console host", reply.message)
        self.assertTrue(self.console_host(name).enabled)

    def test_other_methods_return_405(self):
        for path, allowed in (("", "GET, HEAD"), ("/vnc/x", "GET, HEAD, PUT")):
            for method in ("POST", "PATCH", "DELETE"):
                with self.subTest(path, method=method):
                    reply = self.admin.request(method, f"{PATH}{path}")
                    self.assert_fault(reply, 405)
                    self.assertEqual(allowed, reply.headers["Allow"])
        for path in (f"{PATH}/", f"{PATH}/{self.make_console_host()}"):
            with self.subTest(path):
                self.assert_fault(self.admin.get(path), 404)
