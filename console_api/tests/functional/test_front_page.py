# SPDX-License-Identifier: Apache-2.0
"""The commands and the picture of README.rst."""

import os
import re
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from PIL import Image

from console_api.tests.functional import configuration
from console_api.tests.functional.test_quickstart import (
    TIMEOUT,
    QuickstartCase,
)

QUICKSTART = configuration.CHECKOUT / "tools" / "quickstart.sh"
SCRIPT = configuration.CHECKOUT / "tools" / "screen.sh"
PICTURE = (
    configuration.CHECKOUT / "doc" / "source" / "images" / "sample-screen.png"
)


class ScreenScriptTest(QuickstartCase):
    def run_in_shell(self, command, folder):
        # The viewer is taken from the environment of the tests.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", "-c", command],
            check=False,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            cwd=folder,
            env={**os.environ, "PATH": path},
        )

    def test_printed_command_saves_picture_of_front_page(self):
        self.start()
        [command] = re.findall(
            r"^ +(\S+/screen\.sh .*)$", self.output, re.MULTILINE
        )
        folder = configuration.temporary_folder()
        result = self.run_in_shell(command, folder)
        self.assertEqual(0, result.returncode, result.stderr)
        with (
            Image.open(folder / "screen.png") as seen,
            Image.open(PICTURE) as shown,
        ):
            self.assertEqual(
                shown.convert("RGB").tobytes(), seen.convert("RGB").tobytes()
            )
        self.assertRegex(result.stderr, r"port \d+, password \w{8}\n")

    def test_pasted_commands_leave_console_to_look_at(self):
        self.start()
        commands = re.findall(r"^  (curl .*)$", self.output, re.MULTILINE)
        self.assertEqual(6, len(commands), self.output)
        result = self.run_in_shell("\n".join(commands), "/")
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn('"password": "', result.stdout)
        self.assertEqual(1, len(self.call("GET").json["consoles"]))

    def test_port_in_use_is_reported_before_installation(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            for arguments in (f"--port {port}", f"--port={port}"):
                result = self.run_in_shell(f"{QUICKSTART} {arguments}", "/")
                self.assertEqual(
                    (
                        1,
                        f"quickstart.sh: port {port} of 127.0.0.1 is in use. "
                        "Choose another one with --port.\n",
                    ),
                    (result.returncode, result.stderr),
                )

    def test_without_quickstart_script_names_it(self):
        result = self.run_in_shell(f"{SCRIPT} screen.png {self.port}", "/")
        self.assertEqual(1, result.returncode)
        self.assertIn("Run tools/quickstart.sh", result.stderr)


class CommandsTest(unittest.TestCase):
    def test_commands_can_be_pasted_into_any_shell(self):
        text = (configuration.CHECKOUT / "README.rst").read_text()
        blocks = re.findall(r"::\n\n((?:    .*\n)+)", text)
        self.assertEqual(4, len(blocks), blocks)
        for block in blocks:
            with self.subTest(block):
                # Comments, variables and here-documents differ between shells.
                self.assertNotRegex(block, r"[#$<`\\]")

    def test_linked_pages_exist(self):
        text = (configuration.CHECKOUT / "README.rst").read_text()
        links = re.findall(r"<([^>:]+)>`_|image:: (\S+)", text)
        self.assertTrue(links)
        for link in ("".join(pair) for pair in links):
            with self.subTest(link):
                self.assertTrue((configuration.CHECKOUT / link).exists())
