# SPDX-License-Identifier: Apache-2.0
"""What tests of brokers share."""

import asyncio
import contextlib
from typing import Any

from console_api.gateway.brokers.base import Broker, Client, Grant, Traffic
from console_api.gateway.close_reasons import CloseReason

CLIENT = Client("192.0.2.7", "192.0.2.8")


class FakeSession:
    """An open session that can be cut."""

    def __init__(self, grant: Grant, broker: Broker) -> None:
        self.grant = grant
        self.bytes_in = 0
        self.bytes_out = 0
        self.reason: CloseReason | None = None
        self._broker = broker
        broker.opened(self)

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.bytes_in, self.bytes_out, 0.5)

    def cut(self, reason: CloseReason) -> None:
        if self.reason is None:
            self.reason = reason
            self._broker.closed(self, reason)


@contextlib.asynccontextmanager
async def running(broker: Broker) -> Any:
    """Run a broker."""
    task = asyncio.create_task(broker.run())
    try:
        yield broker
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await broker.finish(0)
