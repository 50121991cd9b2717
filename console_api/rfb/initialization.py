# SPDX-License-Identifier: Apache-2.0
"""ClientInit and ServerInit, as a viewer: RFC 6143, section 7.3."""

from collections.abc import Generator

from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import Handshake, State
from console_api.rfb.messages.display import SERVER_INIT

# Longer names of desktops are not read, in bytes.
_MAX_NAME_LENGTH = 4096


class Initialization(Handshake):
    """Initializes a session with a display that has let the viewer in."""

    def __init__(self, client_init: bytes) -> None:
        """Send ClientInit.

        :param client_init: 1 byte: whether to share the display with others
        """
        #: Width and height of the framebuffer, once the state is ``DONE``.
        self.size = (0, 0)
        self._client_init = client_init
        super().__init__()

    def _steps(self) -> Generator[State, None, None]:
        self._output += self._client_init
        header = yield from self._read_exact(SERVER_INIT.size)
        width, height, _, length = SERVER_INIT.unpack(header)
        if length > _MAX_NAME_LENGTH:
            raise HandshakeError("The display sent a long name.")
        yield from self._read_exact(length)
        self.size = (width, height)
