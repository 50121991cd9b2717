# SPDX-License-Identifier: Apache-2.0
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from console_api_client.viewers import files


class FileTests(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_private_file_is_deleted_after_use(self) -> None:
        values = {"XDG_RUNTIME_DIR": str(self.folder)}
        with mock.patch.dict(os.environ, values):
            with files.private_file("text", ".vv") as path:
                self.assertEqual(self.folder, path.parent)
                self.assertEqual(0o600, path.stat().st_mode & 0o777)
                self.assertEqual("text", path.read_text())
            self.assertEqual([], list(self.folder.iterdir()))

    def test_private_file_may_be_deleted_by_its_reader(self) -> None:
        values = {"XDG_RUNTIME_DIR": str(self.folder / "missing")}
        with (
            mock.patch.dict(os.environ, values),
            files.private_file("text") as path,
        ):
            path.unlink()

    def test_created_file_is_private_and_new(self) -> None:
        path = self.folder / "password"
        files.create_private(path, "text")
        self.assertEqual(0o600, path.stat().st_mode & 0o777)
        with self.assertRaises(FileExistsError):
            files.create_private(path, "other")
        self.assertEqual("text", path.read_text())
