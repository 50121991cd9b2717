# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import unittest
from importlib import resources
from pathlib import Path

from console_api.gateway.close_reasons import CloseReason
from console_api.tests import prerequisites

PAGE = resources.files("console_api.gateway") / "web"
TESTS = Path(__file__).with_name("page")


class PageTest(unittest.TestCase):
    """Runs the tests of the page's modules that need no browser."""

    def run_tests(self, name: str) -> None:
        done = subprocess.run(
            [
                prerequisites.find_program("node"),
                "--test",
                str(TESTS / f"{name}.test.mjs"),
            ],
            env={
                **os.environ,
                "PAGE": str(PAGE),
                "CODES": json.dumps([reason.code for reason in CloseReason]),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_location(self) -> None:
        self.run_tests("location")

    def test_layouts_and_typing(self) -> None:
        self.run_tests("layouts")

    def test_reasons_and_translations(self) -> None:
        self.run_tests("reasons")

    def test_scancodes(self) -> None:
        if not (PAGE / "modules").is_dir():
            prerequisites.skip("Run tools/fetch_modules.py.")
        self.run_tests("scancodes")
