# SPDX-License-Identifier: Apache-2.0
"""Any other viewer, started by the command of the user."""

from __future__ import annotations

import os

from console_api_client.viewers import files
from console_api_client.viewers.base import Target, Viewer, start


class CustomViewer(Viewer):
    """A command with placeholders, and variables in its environment."""

    def run(self, target: Target) -> int:
        """Show a console until the command ends."""
        variables = {
            **os.environ,
            "CONSOLE_HOST": target.host,
            "CONSOLE_PORT": str(target.port),
            "CONSOLE_PASSWORD": target.password,
        }
        with files.private_file(f"{target.password}\n") as path:
            values = {
                "{host}": target.host,
                "{port}": str(target.port),
                "{password_file}": str(path),
            }
            command = [_replace(word, values) for word in self.command]
            return start(command, variables=variables)


def _replace(word: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word
