# SPDX-License-Identifier: Apache-2.0
"""What a viewer connects to, and how it is started."""

from __future__ import annotations

import abc
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class ViewerError(Exception):
    """A console cannot be shown; the message says what to do."""


@dataclass(frozen=True)
class Target:
    """Where a viewer connects, and with which password."""

    host: str
    port: int
    password: str = field(repr=False)
    title: str = "Console"

    @property
    def address(self) -> str:
        """The host as part of a URL or of an address with a port."""
        return f"[{self.host}]" if ":" in self.host else self.host


class Viewer(abc.ABC):
    """A program that shows one console and ends."""

    def __init__(self, command: Sequence[str]) -> None:
        """Remember the program and the arguments that the user gave."""
        self.command = list(command)

    @abc.abstractmethod
    def run(self, target: Target) -> int:
        """Show a console until the user closes the viewer.

        :returns: the exit status of the program
        :raises ViewerError: the program cannot be started
        """


def split(command: str, option: str) -> list[str]:
    """Split a command as a shell does.

    :param option: the option that the user gave it with, for errors
    :raises ViewerError: it is empty, or a quotation mark is not closed
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ViewerError(
            f"{option} is not a valid command: {error}"
        ) from error
    if not words:
        raise ViewerError(f"{option} requires a command.")
    return words


def start(
    command: Sequence[str],
    *,
    variables: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> int:
    """Run a program; return its exit status.

    :param variables: the whole environment, if not that of this process
    :param pass_fds: file descriptors that the program inherits
    :raises ViewerError: the program cannot be started
    """
    try:
        return subprocess.run(  # noqa: S603
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            env=variables,
            pass_fds=pass_fds,
        ).returncode
    except OSError as error:
        raise ViewerError(
            f"{command[0]} cannot be started: {error.strerror}"
        ) from error
