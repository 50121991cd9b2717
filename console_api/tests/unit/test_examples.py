# SPDX-License-Identifier: Apache-2.0
"""The examples of the contributor guide."""

import json
import runpy
import unittest
from typing import Any

from console_api import errors
from console_api.agent.drivers.base import Driver
from console_api.directory.base import Endpoint
from console_api.tests.functional import configuration
from console_api.tests.unit import base
from console_api.tests.unit.agent.drivers.contract import DriverContract

EXAMPLES = configuration.CHECKOUT / "doc/source/contributor/examples"


def load(module: str) -> dict[str, Any]:
    """Return the names that an example defines."""
    return runpy.run_path(str(EXAMPLES / f"{module}.py"))


class MaintenanceDriverTest(DriverContract, unittest.IsolatedAsyncioTestCase):
    def make_driver(self) -> Driver:
        driver: Driver = load("maintenance_driver")["MaintenanceDriver"]()
        return driver


class FileDirectoryTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "servers.json"
        self.directory = load("file_directory")["FileDirectory"](
            self.database, 0, self.path
        )

    def write(self, document: Any) -> None:
        self.path.write_text(json.dumps(document))

    def test_server_of_file_is_found_and_kept(self) -> None:
        fields = {
            "project_id": base.PROJECT,
            "name": "mail",
            "instance_name": "instance-00000001",
            "compute_host": "compute-1",
            "vnc": {"host": "192.0.2.10", "port": 5900},
        }
        self.write({base.SERVER: fields})
        server = self.directory.get(base.SERVER)
        self.assertEqual(base.PROJECT, server.project_id)
        self.assertEqual(
            Endpoint("192.0.2.10", 5900),
            self.directory.endpoint(server, "vnc"),
        )
        self.write({})
        with self.assertRaises(errors.ServerNotFound):
            self.directory.get(base.SERVER)

    def test_malformed_file_is_no_answer(self) -> None:
        documents: list[Any] = [[], {base.SERVER: {}}, {base.SERVER: 1}, ""]
        for document in documents:
            with (
                self.subTest(document),
                self.assertRaises(errors.DirectoryUnavailable),
            ):
                self.write(document)
                self.directory.get(base.SERVER)
