# SPDX-License-Identifier: Apache-2.0
from unittest import mock

from console_api import errors
from console_api.directory.base import Endpoint, Server
from console_api.directory.database import DatabaseDirectory
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id


class GetTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = DatabaseDirectory(self.database)

    def test_get_returns_server_with_endpoints(self) -> None:
        self.add_server(
            endpoints={
                "vnc": {"port": 5901},
                "spice": {"tls_port": 5903, "internal_access_path": "/path"},
            }
        )
        self.add_server(server_id(2), endpoints={"vnc": {"port": 1}})
        self.assertEqual(
            Server(
                uuid=SERVER,
                project_id=base.PROJECT,
                name="mail",
                instance_name="instance-00000001",
                compute_host="compute-1",
                endpoints={
                    "vnc": Endpoint("192.0.2.10", 5901),
                    "spice": Endpoint("192.0.2.10", 5901, 5903, "/path"),
                },
            ),
            self.directory.get(SERVER),
        )

    def test_get_returns_server_without_endpoint_and_compute_host(
        self,
    ) -> None:
        self.add_server(compute_host=None)
        server = self.directory.get(SERVER)
        self.assertEqual({}, server.endpoints)
        self.assertIsNone(server.compute_host)

    def test_get_of_unknown_server_raises_not_found(self) -> None:
        self.add_server()
        with self.assertRaisesRegex(errors.ServerNotFound, UNKNOWN_SERVER):
            self.directory.get(UNKNOWN_SERVER)

    def test_get_of_invalid_id_sends_no_query(self) -> None:
        with mock.patch.object(self.database, "read") as read:
            for text in ("", "\0", "1", "x" * 10_000, SERVER + "\n"):
                with (
                    self.subTest(text[:50]),
                    self.assertRaises(errors.ServerNotFound),
                ):
                    self.directory.get(text)
        read.assert_not_called()

    def test_get_without_database_raises_unavailable(self) -> None:
        with (
            mock.patch.object(
                self.database, "read", side_effect=errors.DatabaseUnavailable
            ),
            self.assertRaises(errors.DatabaseUnavailable),
        ):
            self.directory.get(SERVER)
