# SPDX-License-Identifier: Apache-2.0
"""The commands and the picture of README.rst."""

import os
import re
import subprocess
import sys
from pathlib import Path

from PIL import Image

from console_api.tests.functional import configuration
from console_api.tests.functional.test_quickstart import (
    TIMEOUT,
    QuickstartCase,
)

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

    def test_without_quickstart_script_names_it(self):
        result = self.run_in_shell(f"{SCRIPT} screen.png {self.port}", "/")
        self.assertEqual(1, result.returncode)
        self.assertIn("Run tools/quickstart.sh", result.stderr)
