# SPDX-License-Identifier: Apache-2.0
"""Invalid responses of Nova, as the users of a cloud see them."""

import uuid
from typing import ClassVar

from console_api import conf
from console_api.db import tables
from console_api.db.engine import Database
from console_api.directory import records
from console_api.tests.functional import base, servers
from console_api.tests.functional.client import Reply
from console_api.tests.functional.servers import Server
from console_api.tests.functional.test_concurrency import at_once
from console_api.tests.unit.directory.nova import fake_nova
from console_api.tests.unit.directory.nova.fake_nova import (
    INVALID_RESPONSES,
    FakeNova,
    fault,
)


@base.on_database_servers
class BadNovaTest(base.FunctionalTestCase):
    """Two worker processes use a Nova whose responses the tests choose."""

    nova: ClassVar[FakeNova]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.nova = FakeNova()
        cls.addClassCleanup(cls.nova.stop)

    def choose_server(self) -> Server:
        options = {
            "directory": {"driver": "nova", "cache_seconds": "0"},
            "nova": {
                **self.nova.options,
                "timeout": "2",
                "connect_retry_delay": "0.01",
                "status_code_retry_delay": "0.01",
            },
            "remote_consoles": {"novnc_base_url": "http://proxy/vnc.html"},
        }
        return servers.shared(self.backend, options, workers=2)

    def setUp(self) -> None:
        super().setUp()
        self.stranger = self.client("user", project=uuid.uuid4().hex)
        self.host = self.make_console_host()
        self.server_id = str(uuid.uuid4())
        self.set_project(self.project)
        self.path = f"/servers/{self.server_id}/consoles"

    def tearDown(self) -> None:
        self.nova.responses.clear()
        super().tearDown()

    def set_project(self, project: str) -> None:
        """Set the project of the server in Nova."""
        self.nova.add_server(
            self.server_id,
            **{
                "tenant_id": project,
                "OS-EXT-SRV-ATTR:host": self.compute_host,
            },
        )

    def create(self) -> str:
        """Create the console and return its path."""
        reply = self.member.post(self.path)
        self.assertEqual(200, reply.status, reply.body)
        [row] = self.console_rows(self.server_id)
        return f"{self.path}/{row.id}"

    def add_token(self) -> None:
        """Issue a console auth token of the server."""
        self.nova.endpoints["vnc"] = {"host": "192.0.2.10", "port": 5900}
        self.issue_token(self.server_id)

    def assert_unavailable(self, reply: Reply) -> None:
        self.assert_fault(reply, 503)
        self.assertEqual("5", reply.headers["Retry-After"])

    def count_lines(self) -> int:
        return self.server.log.count("Cannot look up a server in Nova: ")

    def test_invalid_response_is_503_and_deletes_nothing(self) -> None:
        path = self.create()
        self.add_token()
        before = self.console_rows(self.server_id)
        for name, response in INVALID_RESPONSES.items():
            self.nova.responses["GET", "/v2.1/servers/"] = response
            lines = self.count_lines()
            with self.subTest(name):
                replies = at_once(
                    [
                        lambda: self.member.get(path),
                        lambda: self.stranger.get(path),
                    ]
                )
                for reply in replies:
                    self.assert_unavailable(reply)
                # The responses do not reveal the project of the server.
                self.assertEqual(*[reply.message for reply in replies])
                self.assertEqual(lines + 2, self.count_lines())
        for reply in (
            self.member.get(self.path),
            self.member.post(self.path),
            self.member.delete(path),
        ):
            self.assert_unavailable(reply)
        self.assertEqual(before, self.console_rows(self.server_id))
        self.assertEqual(1, self.count_tokens(self.server_id))
        self.assert_not_logged(fake_nova.TOKEN, fake_nova.CONSOLE_TOKEN)
        self.nova.responses.clear()
        self.assertEqual(200, self.member.get(path).status)
        self.assert_fault(self.stranger.get(path), 404)

    def test_invalid_endpoint_is_503(self) -> None:
        body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        for response in (fault(500, "computeFault"), (200, b"<html>")):
            self.nova.responses["POST", "/v2.1/servers/"] = response
            lines = self.count_lines()
            reply = self.member.post(
                f"/servers/{self.server_id}/remote-consoles",
                body,
                version="2.6",
            )
            self.assert_unavailable(reply)
            self.assertEqual(lines + 1, self.count_lines())
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_server_of_another_project_is_not_stored(self) -> None:
        path = self.create()
        self.add_token()
        self.set_project(uuid.uuid4().hex)
        self.assert_fault(self.member.get(path), 404)
        self.assertEqual({"consoles": []}, self.member.get(self.path).json)
        self.assert_fault(self.member.post(self.path), 404)
        # Users of the previous project know the password of the console.
        self.assertEqual([], self.console_rows(self.server_id))
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_concurrent_requests_store_one_server(self) -> None:
        for _ in range(3):
            self.server_id = str(uuid.uuid4())
            self.set_project(self.project)
            path = f"/servers/{self.server_id}/consoles"
            replies = at_once([lambda: self.member.post(path)] * 8)  # noqa: B023
            self.assertEqual(
                [(200, b"")] * 8,
                [(reply.status, reply.body) for reply in replies],
            )
            self.assertEqual(1, self.count_servers())
            self.assertEqual(1, len(self.console_rows(self.server_id)))
        self.assertEqual(3, self.console_host(self.host).console_count)

    def test_server_deleted_during_create_is_404(self) -> None:
        """No console remains, whichever request is first."""
        database = Database(conf.load(self.server.folder))
        self.addCleanup(database.close)
        for _ in range(5):
            *replies, _ = at_once(
                [
                    *[lambda: self.member.post(self.path)] * 3,
                    lambda: records.delete(database, self.server_id),
                ]
            )
            statuses = {reply.status for reply in replies}
            self.assertLessEqual(statuses, {200, 404})
            self.assertLessEqual(
                len(self.console_rows(self.server_id)), self.count_servers()
            )
        # A late response of Nova may have inserted the server again.
        del self.nova.servers[self.server_id]
        self.assert_fault(self.member.post(self.path), 404)
        self.assertEqual(0, self.count_servers())
        self.assertEqual([], self.console_rows(self.server_id))
        self.assertEqual(0, self.console_host(self.host).console_count)

    def count_servers(self) -> int:
        table = tables.servers
        return self.database.count(table, table.c.uuid == self.server_id)
