# SPDX-License-Identifier: Apache-2.0
"""The clipboard of the desktop, through the command that writes to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from console_api_client.viewers.base import ViewerError, split

_OPTION = "--clipboard-command"


def copy(text: str, command: str | None = None) -> None:
    """Copy a text to the clipboard.

    :param command: a command that reads the text from its input, if not the
        one of the desktop
    :raises ViewerError: there is no such command, or it fails
    """
    words = _find() if command is None else split(command, _OPTION)
    try:
        ended = subprocess.run(  # noqa: S603
            words,
            input=text.encode(),
            check=False,
            # xclip keeps running, and would hold the output open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise ViewerError(
            f"{words[0]} cannot be started: {error.strerror}"
        ) from error
    if ended.returncode:
        raise ViewerError(
            f"{words[0]} exited with status {ended.returncode}; the clipboard "
            "is unchanged."
        )


def _find() -> list[str]:
    for words in _candidates():
        if shutil.which(words[0]):
            return words
    raise ViewerError(
        "No command for the clipboard was found. Install wl-clipboard, "
        f"xclip or xsel, or name a command with {_OPTION}."
    )


def _candidates() -> Iterator[list[str]]:
    if sys.platform == "darwin":
        yield ["pbcopy"]
    if os.environ.get("WAYLAND_DISPLAY"):
        yield ["wl-copy"]
    if os.environ.get("DISPLAY"):
        yield ["xclip", "-selection", "clipboard"]
        yield ["xsel", "--clipboard", "--input"]
    # Windows, including its Subsystem for Linux.
    yield ["clip.exe"]
