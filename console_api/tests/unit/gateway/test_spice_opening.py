# SPDX-License-Identifier: Apache-2.0
import asyncio
from typing import cast

from console_api.gateway.services import Settings
from console_api.net.pending_handshakes import PendingHandshakes
from console_api.tests.unit.gateway.base import GatewayCase
from console_api.tests.unit.spice import samples
from console_api.tests.waiting import wait_until_async


class FullGatewayTest(GatewayCase):
    """Connections of SPICE that are no sessions, or not yet."""

    settings = Settings(max_sessions=1)

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.is_spice = True
        await self.serve_display(self.display, console_type="spice-html5")

    async def display(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Be a display that tells main its connection ID."""
        await reader.readexactly(len(samples.link()))
        writer.write(samples.reply() + bytes(4) + samples.init())
        await reader.read()

    async def open_main(self) -> None:
        """Open a session, up to the connection ID."""
        main = await self.open()
        await main.send(samples.link())
        received = b""
        while not received.endswith(samples.init()):
            received += cast("bytes", await main.recv())

    async def test_channels_of_last_session_are_let_in(self) -> None:
        await self.open_main()
        for channel_type in (2, 3, 4):
            channel = await self.open()
            await channel.send(
                samples.link(samples.CONNECTION_ID, channel_type)
            )
            self.assertEqual(samples.reply()[:16], (await channel.recv())[:16])
        other = await self.open("U")
        await other.send(samples.link(0, 1))
        self.assertEqual(4008, (await self.closed(other))[0])

    async def test_silent_viewers_keep_out_no_session(self) -> None:
        for _ in range(5):
            await self.open("guess")
        await wait_until_async(lambda: len(self.services.linking) == 5)
        await self.open_main()
        self.assertEqual(1, len(self.broker.credentials))

    async def test_number_of_silent_viewers_is_limited(self) -> None:
        self.services.linking = PendingHandshakes(2)
        silent = [await self.open("guess") for _ in range(3)]
        await silent[0].wait_closed()
        self.assertEqual(2, len(self.services.linking))
        await silent[2].send(samples.link(samples.CONNECTION_ID, 2))
        self.assertEqual(1008, (await self.closed(silent[2]))[0])
        self.assertEqual(1, len(self.services.linking))
