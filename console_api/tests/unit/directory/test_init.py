# SPDX-License-Identifier: Apache-2.0
from console_api import directory, errors
from console_api.directory.database import DatabaseDirectory
from console_api.tests.unit import base


class LoadTest(base.DatabaseCase):
    def test_default_driver_is_database(self) -> None:
        self.add_server()
        loaded = directory.load(self.conf, self.database)
        self.assertIsInstance(loaded, DatabaseDirectory)
        self.assertEqual("mail", loaded.get(base.SERVER).name)

    def test_unknown_driver_is_refused(self) -> None:
        conf = base.load_conf(self.folder, {"directory": {"driver": "none"}})
        with self.assertRaisesRegex(
            errors.ConfigurationError, r"\[directory\] driver.*'none'"
        ):
            directory.load(conf, self.database)
