# SPDX-License-Identifier: Apache-2.0
"""Run the commands of a guide, and compare their output with the guide."""

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from console_api.conf import ENVIRONMENT
from console_api.tests.functional import configuration

_GUIDES = configuration.CHECKOUT / "doc" / "source"

_BLOCK = re.compile(
    r"^\.\. code-block:: (?P<language>\w+)\n"
    r"(?:   :caption: (?P<caption>.+)\n)?"
    r"(?P<text>(?:(?:   .*)?\n)+)",
    re.MULTILINE,
)

# Lines after these begin a command, or continue one.
_PROMPT, _CONTINUATION = "$ ", "> "

#: The configuration folder in guides.
FOLDER = "/etc/console_api"

_TIMEOUT = 120


@dataclass(frozen=True)
class Command:
    """A command of a guide with its output, standard error included.

    In the output, ``...`` stands for any text.
    """

    line: str
    output: str


def replay(page: str, folder: Path) -> Iterator[tuple[Command, str, int]]:
    """Write the files of a guide and run its commands, in their order.

    A file is a block with a caption that begins with its name.  A command is
    in a block of the language ``console``.

    :param page: the guide, below ``doc/source``
    :param folder: the configuration folder, where the commands are run
    :returns: each command, its output and its exit status
    """
    source = (_GUIDES / f"{page}.rst").read_text()
    for block in _BLOCK.finditer(source):
        text = dedent(block["text"]).strip("\n") + "\n"
        if block["language"] == "console":
            for command in _commands(text):
                yield command, *_run(command.line, folder)
        elif block["caption"]:
            path = folder / block["caption"].split()[0].removeprefix("/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)


def is_as_documented(command: Command, output: str) -> bool:
    """Return whether a command has printed what the guide shows."""
    return doctest.OutputChecker().check_output(
        command.output.rstrip(), output.rstrip(), doctest.ELLIPSIS
    )


def _commands(text: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines(keepends=True)
        line = [first]
        while rest and rest[0].startswith(_CONTINUATION):
            line.append(rest.pop(0).removeprefix(_CONTINUATION))
        yield Command("".join(line).strip(), "".join(rest))


def _run(line: str, folder: Path) -> tuple[str, int]:
    done = subprocess.run(
        ["bash", "-c", line.replace(FOLDER, str(folder))],
        cwd=folder,
        env={
            **os.environ,
            ENVIRONMENT: str(folder),
            "COLUMNS": "79",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    return done.stdout.replace(str(folder), FOLDER), done.returncode
