# SPDX-License-Identifier: Apache-2.0
"""The directives ``policy-command`` and ``policy-matrix``.

They run console-api-policy in the folder of the examples, so the guide shows
what the program prints.
"""

import json
import os
import shlex
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

EXAMPLES = Path(__file__).parents[1] / "source" / "policy" / "examples"

# Seconds that a command may take.
_TIMEOUT = 60


def run(command: str, status: int = 0) -> str:
    """Return what a command prints.

    :param status: the exit status that it must have
    :raises AssertionError: it has another one
    """
    program, *arguments = shlex.split(command)
    done = subprocess.run(  # noqa: S603 (the commands of the guide)
        [Path(sys.executable).with_name(program), *arguments],
        cwd=EXAMPLES,
        # Those of the libraries are not for readers.
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    if done.returncode != status:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}")
    return done.stdout


class PolicyCommand(SphinxDirective):
    """A command and what it prints."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"status": directives.nonnegative_int}

    def run(self) -> list[nodes.Node]:
        """Return the block."""
        [command] = self.arguments
        output = run(command, self.options.get("status", 0))
        text = f"$ {command}\n{output.rstrip()}"
        return [nodes.literal_block(text, text, language="console")]


class PolicyMatrix(SphinxDirective):
    """A table of the operations and the personas that the defaults allow."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        cells = json.loads(
            run("console-api-policy matrix --policy defaults -f json")
        )
        personas = list(dict.fromkeys(cell["persona"] for cell in cells))
        lines = [
            ".. list-table::",
            "   :header-rows: 1",
            f"   :widths: 40 9 {'9 ' * len(personas)}",
            "",
            *_row("Rule", "Servers", *map(str.capitalize, personas)),
        ]
        for (rule, servers), row in groupby(
            cells, key=lambda cell: (cell["rule"], cell["servers"])
        ):
            allowed = ["yes" if cell["allowed"] else "" for cell in row]
            lines += _row(f"``{rule}``", servers, *allowed)
        return self.parse_text_to_nodes("\n".join(lines))


def _row(first: str, *others: str) -> list[str]:
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("policy-command", PolicyCommand)
    app.add_directive("policy-matrix", PolicyMatrix)
    return {"parallel_read_safe": True}
