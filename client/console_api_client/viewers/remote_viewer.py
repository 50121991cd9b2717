# SPDX-License-Identifier: Apache-2.0
"""remote-viewer of virt-viewer, which reads a connection file (``.vv``)."""

from __future__ import annotations

from console_api_client.viewers import files
from console_api_client.viewers.base import Target, Viewer, start


def connection_file(target: Target) -> str:
    """Return the contents of a connection file, which has the password.

    The viewer deletes the file after reading it.
    """
    values = {
        "type": "vnc",
        "host": target.host,
        "port": target.port,
        "password": target.password,
        "title": target.title,
        "delete-this-file": 1,
    }
    lines = [f"{name}={_escape(str(text))}" for name, text in values.items()]
    return "\n".join(["[virt-viewer]", *lines, ""])


def _escape(text: str) -> str:
    """Escape a value as GLib's key files require; no line can be added."""
    for character, escaped in (
        ("\\", "\\\\"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
    ):
        text = text.replace(character, escaped)
    return text.replace(" ", "\\s", 1) if text.startswith(" ") else text


class RemoteViewer(Viewer):
    """remote-viewer, which deletes the connection file when it has read it."""

    def run(self, target: Target) -> int:
        """Show a console until the user closes the viewer."""
        content = connection_file(target)
        with files.private_file(content, ".vv") as path:
            return start([*self.command, str(path)])
