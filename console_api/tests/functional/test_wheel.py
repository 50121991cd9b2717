# SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import console_api
from console_api.tests import prerequisites

CHECKOUT = Path(console_api.__file__).parents[1]
WEB = Path("console_api", "gateway", "web")

# What a distribution is built from.
SOURCES = (
    "LICENSE",
    "README.rst",
    "console_api",
    "etc",
    "pyproject.toml",
    "requirements.txt",
    "setup.cfg",
    "setup.py",
)

BUILD = "import sys; from pbr import build; build.build_wheel(sys.argv[1])"


class WheelTest(unittest.TestCase):
    """A wheel is built from a copy, with the backend of pyproject.toml."""

    def setUp(self) -> None:
        super().setUp()
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def test_wheel_contains_page_and_modules_with_licences(self) -> None:
        lock = json.loads((CHECKOUT / WEB / "modules.lock.json").read_text())
        for module in lock["modules"]:
            folder = CHECKOUT / WEB / "modules" / module["folder"]
            if not folder.exists():
                prerequisites.skip("Run tools/fetch_modules.py.")
            licences = [*folder.glob("LICENSE*"), *folder.glob("COPYING*")]
            self.assertTrue(licences, folder)
        expected = {
            str(path.relative_to(CHECKOUT)): path.read_bytes()
            for path in (CHECKOUT / WEB).rglob("*")
            if path.is_file()
        }
        with zipfile.ZipFile(self.build()) as wheel:
            found = {
                name: wheel.read(name)
                for name in wheel.namelist()
                if name.startswith(f"{WEB}/")
            }
        self.assertEqual(expected.keys(), found.keys())
        self.assertEqual(expected, found)

    def build(self) -> Path:
        source = self.folder / "source"
        source.mkdir()
        for name in SOURCES:
            path = CHECKOUT / name
            if path.is_dir():
                shutil.copytree(
                    path,
                    source / name,
                    ignore=shutil.ignore_patterns("__pycache__", "tests"),
                )
            else:
                shutil.copy(path, source)
        done = subprocess.run(
            [sys.executable, "-c", BUILD, str(self.folder)],
            cwd=source,
            # The copy has no history to take a version from.
            env={**os.environ, "PBR_VERSION": "1.0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        self.assertEqual(0, done.returncode, done.stdout)
        [wheel] = self.folder.glob("*.whl")
        return wheel
