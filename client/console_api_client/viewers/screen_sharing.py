# SPDX-License-Identifier: Apache-2.0
"""Screen Sharing of macOS, which ``open`` starts for ``vnc://`` URLs."""

from __future__ import annotations

import sys

from console_api_client.viewers import clipboard
from console_api_client.viewers.base import Target, Viewer, start


class ScreenSharing(Viewer):
    """Screen Sharing, which takes a password from its user or from the URL.

    The URL is an argument, so the password is copied to the clipboard.
    """

    def run(self, target: Target) -> int:
        """Show a console until the user quits Screen Sharing."""
        clipboard.copy(target.password)
        sys.stderr.write(
            "The password is in the clipboard. Paste it when Screen Sharing "
            "asks for it.\n"
        )
        url = f"vnc://{target.address}:{target.port}"
        return start([*self.command, "-W", url])
