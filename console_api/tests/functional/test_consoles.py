# SPDX-License-Identifier: Apache-2.0
"""List, create, show and delete the consoles of a server."""

import re
import uuid

from console_api.db import tables
from console_api.tests.functional import base

PASSWORD = re.compile(r"[A-Za-z0-9]{8}")


def summary(row):
    return {"console": {"id": row.id, "console_type": row.console_type}}


class ConsoleTestCase(base.FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.server_id = self.make_server(instance_name="instance-0000beef")
        self.path = f"/servers/{self.server_id}/consoles"

    def create(self):
        """Create the server's console and return its row."""
        reply = self.member.post(self.path)
        self.assertEqual((200, b""), (reply.status, reply.body))
        [row] = self.console_rows(self.server_id)
        return row

    def listed(self, query=""):
        reply = self.member.get(f"{self.path}{query}")
        self.assertEqual(200, reply.status, reply.body)
        return [entry["console"]["id"] for entry in reply.json["consoles"]]

    def insert_consoles(self, number):
        """Give the server consoles of as many types, and return their ids."""
        for index in range(number):
            console_type = f"type-{index}"
            host = self.make_console_host(console_type=console_type)
            self.database.execute(
                tables.consoles.insert(),
                {
                    "server_id": self.server_id,
                    "console_host_id": self.console_host(
                        host, console_type
                    ).id,
                    "console_type": console_type,
                    "instance_name": "instance-0000beef",
                    "port": 20000,
                    "encrypted_password": "none",
                    "created_at": 0,
                },
            )
        return [row.id for row in self.console_rows(self.server_id)]


@base.on_each_database
class ConsoleTests(ConsoleTestCase):
    def test_id_of_deleted_console_is_not_reused(self):
        self.make_console_host()
        old = self.create()
        self.member.delete(f"{self.path}/{old.id}")
        new = self.create()
        self.assertGreater(new.id, old.id)
        reply = self.member.delete(f"{self.path}/{old.id}")
        self.assertEqual(404, reply.status)
        self.assertEqual([new.id], self.listed())

    def test_expired_console_is_replaced(self):
        self.make_console_host()
        old = self.create()
        consoles = tables.consoles
        self.database.execute(
            consoles.update()
            .where(consoles.c.id == old.id)
            .values(expires_at=consoles.c.created_at)
        )
        path = f"{self.path}/{old.id}"
        self.assertEqual(404, self.member.get(path).status)
        self.assertEqual([], self.listed())
        new = self.create()
        self.assertGreater(new.id, old.id)
        self.assertEqual([new.id], self.listed())

    def test_created_console_is_listed_at_once(self):
        self.make_console_host()
        row = self.create()
        reply = self.member.get(self.path)
        self.assertEqual(200, reply.status)
        self.assertEqual({"consoles": [summary(row)]}, reply.json)
        self.assertEqual("vnc+xvp", row.console_type)

    def test_create_ignores_body(self):
        self.make_console_host()
        for body in (None, b"", {}, [], "text", 1, {"console": {"any": 1}}):
            with self.subTest(body=body):
                reply = self.member.post(self.path, body)
                self.assertEqual((200, b""), (reply.status, reply.body))
                self.assertEqual(1, len(self.console_rows(self.server_id)))

    def test_second_create_changes_nothing(self):
        self.make_console_host()
        row = self.create()
        self.make_console_host()
        self.assertEqual(row, self.create())

    def test_show_returns_connection_details(self):
        host = self.make_console_host(public_hostname="xvp.example.org")
        row = self.create()
        reply = self.member.get(f"{self.path}/{row.id}")
        self.assertEqual(200, reply.status)
        console = reply.json["console"]
        password = console.pop("password")
        self.assertRegex(password, PASSWORD)
        self.assertEqual(
            {
                "id": row.id,
                "console_type": "vnc+xvp",
                "instance_name": "instance-0000beef",
                "port": row.port,
                "host": "xvp.example.org",
            },
            console,
        )
        self.assertIn(row.port, range(20000, 20010))
        self.assertEqual(host, row.host)

    def test_password_is_constant_and_stored_encrypted(self):
        self.make_console_host()
        row = self.create()
        first, second = (
            self.member.get(f"{self.path}/{row.id}").json["console"]
            for _ in "ab"
        )
        self.assertEqual(first, second)
        self.assertNotIn(first["password"], row.encrypted_password)

    def test_passwords_are_unique(self):
        passwords = set()
        for _ in range(3):
            server_id, console_id = self.make_console()
            reply = self.member.get(
                f"/servers/{server_id}/consoles/{console_id}"
            )
            passwords.add(reply.json["console"]["password"])
        self.assertEqual(3, len(passwords))

    def test_delete_removes_console(self):
        host = self.make_console_host()
        row = self.create()
        reply = self.member.delete(f"{self.path}/{row.id}")
        self.assertEqual((202, b""), (reply.status, reply.body))
        self.assertEqual([], self.listed())
        self.assert_fault(self.member.get(f"{self.path}/{row.id}"), 404)
        self.assert_fault(self.member.delete(f"{self.path}/{row.id}"), 404)
        self.assertEqual(0, self.console_host(host).console_count)

    def test_create_after_delete_creates_new_console(self):
        self.make_console_host()
        first = self.create()
        password = self.member.get(f"{self.path}/{first.id}").json
        self.member.delete(f"{self.path}/{first.id}")
        second = self.create()
        self.assertNotEqual(
            password["console"]["password"],
            self.member.get(f"{self.path}/{second.id}").json["console"][
                "password"
            ],
        )

    def test_console_of_other_server_returns_404(self):
        self.make_console_host()
        row = self.create()
        other = self.make_server()
        path = f"/servers/{other}/consoles/{row.id}"
        message = f"Console {row.id} could not be found."
        self.assert_fault(self.member.get(path), 404, message)
        self.assert_fault(self.member.delete(path), 404, message)
        self.assertEqual([row.id], self.listed())

    def test_unknown_server(self):
        server_id = str(uuid.uuid4())
        path = f"/servers/{server_id}/consoles"
        reply = self.admin.get(path)
        self.assertEqual((200, {"consoles": []}), (reply.status, reply.json))
        message = f"Server {server_id} could not be found."
        self.assert_fault(self.admin.post(path), 404, message)
        self.assert_fault(self.admin.get(f"{path}/1"), 404, message)
        self.assert_fault(self.admin.delete(f"{path}/1"), 404, message)

    def test_list_is_sorted_and_paginated(self):
        one, two, three, four, five = ids = self.insert_consoles(5)
        for query, expected in (
            ("", ids),
            ("?limit=2", [one, two]),
            (f"?limit=2&marker={two}", [three, four]),
            (f"?marker={three}&limit=1000000", [four, five]),
            (f"?marker={five}", []),
            ("?marker=0", ids),
            ("?limit=0", []),
            ("?marker=999999999999999999", []),
            ("?limit=999999999999999999", ids),
            ("?limit=1&limit=2", [one]),
            ("?unknown=parameter", ids),
        ):
            with self.subTest(query):
                self.assertEqual(expected, self.listed(query))

    def test_invalid_limit_or_marker_returns_400(self):
        for query in (
            *("limit=", "limit=-1", "limit=x", "limit=1.5", "limit=1e3"),
            *("limit=%00", "limit=1%0A", "limit=" + "9" * 19, "limit=+1"),
            *("marker=", "marker=x", "marker=-1", "marker=%ff"),
            *("marker=" + "9" * 19, "limit=%D9%A3", "limit=0x1"),
        ):
            with self.subTest(query):
                reply = self.member.get(f"{self.path}?{query}")
                self.assert_fault(reply, 400)
                self.assertIn(query.partition("=")[0], reply.message)

    def test_malformed_console_id_returns_404(self):
        self.make_console_host()
        row = self.create()
        for console_id in (
            *("x", "1.0", "-1", "+1", "0", "1e3", "0x1", "%20", "%00", "%ff"),
            *("999999999999999999", "9" * 19, "9" * 5000, f"{row.id}%0A"),
            *(f"%20{row.id}", f"{row.id};x", f"{row.id}.json", "%D9%A3"),
            *("%C2%B2", "null", "None", "1%20OR%201=1", "..", "%2E%2E"),
        ):
            for method in ("GET", "DELETE"):
                with self.subTest(console_id[:20], method=method):
                    reply = self.member.request(
                        method, f"{self.path}/{console_id}"
                    )
                    self.assert_fault(reply, 404)
                    self.assertLess(len(reply.message), 200)
        self.assertEqual([row.id], self.listed())

    def test_server_id_may_be_in_uppercase(self):
        self.make_console_host()
        row = self.create()
        server = f"/servers/{self.server_id.upper()}"
        consoles = f"{server}/consoles"
        self.assertEqual(
            [row.id],
            [
                item["console"]["id"]
                for item in self.member.get(consoles).json["consoles"]
            ],
        )
        for method, path, version, body, status in (
            ("GET", f"{consoles}/{row.id}", "2.1", None, 200),
            ("POST", consoles, "2.1", None, 200),
            (
                "POST",
                f"{server}/remote-consoles",
                "2.6",
                {"remote_console": {"protocol": "vnc", "type": "novnc"}},
                200,
            ),
            (
                "POST",
                f"{server}/action",
                "2.1",
                {"os-getVNCConsole": {"type": "novnc"}},
                200,
            ),
            ("DELETE", f"{consoles}/{row.id}", "2.1", None, 202),
        ):
            with self.subTest(path, method=method):
                reply = self.member.request(
                    method, path, version=version, body=body
                )
                self.assertEqual(status, reply.status, reply.body)
        self.assertEqual([], self.console_rows(self.server_id))

    def test_malformed_server_id_is_unknown(self):
        self.make_console_host()
        row = self.create()
        for server_id in (
            *("x", "0", "%00", "%ff%fe", "%20", "a" * 5000, "..", "%2E%2E"),
            *(f"{self.server_id}%0A", f"{self.server_id}%00"),
            *(f"%20{self.server_id}", "%25", "'"),
            *(self.server_id.replace("-", ""), f"{self.server_id};x", "*"),
            *("%F0%9F%92%A9", "null", self.server_id[:-1]),
        ):
            path = f"/servers/{server_id}/consoles"
            with self.subTest(server_id[:50]):
                reply = self.admin.get(path)
                self.assertEqual(200, reply.status)
                self.assertEqual({"consoles": []}, reply.json)
                self.assert_fault(self.admin.post(path), 404)
                self.assert_fault(self.admin.get(f"{path}/{row.id}"), 404)
                self.assert_fault(self.admin.delete(f"{path}/{row.id}"), 404)
        self.assertEqual([row], self.console_rows(self.server_id))


@base.on_each_database
class MaxLimitTests(ConsoleTestCase):
    options = {"api": {"max_limit": "2"}}

    def test_list_never_exceeds_max_limit(self):
        one, two, three = self.insert_consoles(3)
        for query, expected in (
            ("", [one, two]),
            ("?limit=1", [one]),
            ("?limit=1000", [one, two]),
            (f"?marker={two}", [three]),
        ):
            with self.subTest(query):
                self.assertEqual(expected, self.listed(query))
