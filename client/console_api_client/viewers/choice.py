# SPDX-License-Identifier: Apache-2.0
"""Which viewer shows a console."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import PurePath

from console_api_client.viewers.base import Viewer, ViewerError, split
from console_api_client.viewers.custom import CustomViewer
from console_api_client.viewers.remote_viewer import RemoteViewer
from console_api_client.viewers.screen_sharing import ScreenSharing
from console_api_client.viewers.vncviewer import VNCViewer

# The first one that is installed is used.
_VIEWERS: Mapping[str, type[Viewer]] = {
    "remote-viewer": RemoteViewer,
    "vncviewer": VNCViewer,
    "xtigervncviewer": VNCViewer,
}

# The program of this name knows no connection files, but libvirt's domains.
_SYNONYMS = {"virt-viewer": "remote-viewer"}


def choose(command: str | None) -> Viewer:
    """Return the viewer that the user named, or one that is installed.

    :param command: a program with arguments, in which a program that is not
        known gets host, port and password by placeholders and variables
    :raises ViewerError: it is not installed, or there is no display
    """
    if command is not None:
        return _named(command)
    _require_display()
    for name, viewer in _known().items():
        path = shutil.which(name)
        if path:
            return viewer([path])
    raise ViewerError(
        "No viewer is installed. Install virt-viewer or TigerVNC's viewer, "
        "name another one with --viewer, or use --print-vv."
    )


def _known() -> Mapping[str, type[Viewer]]:
    if sys.platform == "darwin":
        return {**_VIEWERS, "open": ScreenSharing}
    return _VIEWERS


def _named(command: str) -> Viewer:
    program, *arguments = split(command, "--viewer")
    program = _SYNONYMS.get(program, program)
    path = shutil.which(program)
    if path is None:
        raise ViewerError(f"{program} is not installed.")
    viewer = _known().get(PurePath(program).stem, CustomViewer)
    return viewer([path, *arguments])


def _require_display() -> None:
    if sys.platform in {"darwin", "win32", "cygwin"}:
        return
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        raise ViewerError(
            "This machine has no display: DISPLAY and WAYLAND_DISPLAY are not "
            "set. Use --print-vv, and open its output on your desktop with "
            "remote-viewer."
        )
