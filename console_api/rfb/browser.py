# SPDX-License-Identifier: Apache-2.0
"""The server's side of a handshake with a browser.

The browser was let in before: no authentication is required.
"""

import struct
from collections.abc import Generator

from console_api.rfb.handshake import NONE, OK, State, Version
from console_api.rfb.server import ServerHandshake


class BrowserHandshake(ServerHandshake):
    """Lets a browser in, up to its ClientInit."""

    def __init__(self, refusal: str | None = None) -> None:
        """Send the version of the server.

        :param refusal: a reason to refuse the browser, which is sent as soon
            as its version is known
        """
        #: The browser's ClientInit, 1 byte, once the state is ``DONE``: not
        #: zero if it shares the display with others.
        self.client_init = b""
        super().__init__(refusal)

    def _steps(self) -> Generator[State, None, None]:
        yield from self._begin()
        if self._version is Version.V3:
            self._output += struct.pack(">I", NONE)
        else:
            yield from self._offer(NONE)
        if self._version is Version.V8:
            # Without authentication, older versions expect no result.
            self._output += struct.pack(">I", OK)
        self.client_init = yield from self._read_exact(1)
