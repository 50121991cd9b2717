# SPDX-License-Identifier: Apache-2.0
"""A driver whose consoles report maintenance to every VNC viewer."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Self

from oslo_config import cfg

from console_api.agent.drivers.base import Console, Driver
from console_api.directory.base import Directory

# No security types, then the reason: RFC 6143, section 7.1.2.
_REASON = b"The console host is under maintenance."
_REFUSAL = b"\0" + len(_REASON).to_bytes(4, "big") + _REASON


class MaintenanceDriver(Driver):
    """Serve consoles that refuse every viewer."""

    console_type = "vnc"

    def __init__(self) -> None:
        """Serve nothing yet."""
        self._served: dict[int, tuple[int | None, asyncio.Server]] = {}

    @classmethod
    def from_conf(cls, _conf: cfg.ConfigOpts, _directory: Directory) -> Self:
        """Create the driver, which has no options."""
        return cls()

    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        """Serve these consoles; see ``Driver.apply``."""
        # Close ports first, so that other consoles can have them.
        for number, (port, server) in list(self._served.items()):
            if number not in consoles or consoles[number].port != port:
                server.close()
                del self._served[number]
        failed = {}
        for number in consoles.keys() - self._served.keys():
            port = consoles[number].port
            try:
                server = await asyncio.start_server(_refuse, port=port)
            except OSError as error:
                failed[number] = f"Cannot listen on port {port}: {error}"
            else:
                self._served[number] = port, server
        return failed

    async def close(self) -> None:
        """Stop serving."""
        await self.apply({})


async def _refuse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(b"RFB 003.008\n")
    with contextlib.suppress(OSError, EOFError):
        await reader.readexactly(12)
        writer.write(_REFUSAL)
        await writer.drain()
    writer.close()
