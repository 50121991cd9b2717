# SPDX-License-Identifier: Apache-2.0
"""The commands of the Policy Guide, whose output is made when it is built."""

import contextlib
import re
import shlex
import unittest
from collections.abc import Iterator

from console_api.cmd.policy import app
from console_api.policy import check, reader
from console_api.policy.findings import Level
from console_api.tests.functional import configuration
from console_api.tests.unit.cmd import program

GUIDE = configuration.CHECKOUT / "doc" / "source" / "policy"
EXAMPLES = GUIDE / "examples"
COMMAND = re.compile(
    r"^\.\. policy-command:: (?P<command>.+)\n(?:   :status: (?P<status>\d))?",
    re.MULTILINE,
)


def commands() -> Iterator[tuple[str, int]]:
    """Yield the commands of all pages, and their exit statuses."""
    found = {}
    for page in sorted(GUIDE.glob("*.rst")):
        for match in COMMAND.finditer(page.read_text()):
            found[match["command"]] = int(match["status"] or 0)
    yield from found.items()


class PolicyGuideTests(unittest.TestCase):
    def test_commands_have_the_documented_status(self):
        for command, status in commands():
            with self.subTest(command):
                program_name, *arguments = shlex.split(command)
                self.assertEqual(app.PolicyApp.NAME, program_name)
                with contextlib.chdir(EXAMPLES):
                    done = program.run(app.main, EXAMPLES, *arguments)
                self.assertEqual(status, done.status, done.stderr)
                self.assertEqual("", done.stderr)

    def test_examples_are_used_and_only_careless_one_has_errors(self):
        text = "".join(page.read_text() for page in GUIDE.glob("*.rst"))
        for path in EXAMPLES.glob("*.yaml"):
            with self.subTest(path.name):
                self.assertIn(f"literalinclude:: examples/{path.name}", text)
                if path.name == "policy-tests.yaml":
                    continue
                found = check.check([reader.read(path, path.read_bytes())])
                levels = {each.level for each in found.findings}
                self.assertEqual(
                    path.name == "careless.yaml",
                    bool(levels & {Level.BROKEN, Level.ERROR}),
                )
