# SPDX-License-Identifier: Apache-2.0
"""The screen and the serial console of the quickstart's sample server."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent import futures

from console_api.cmd.quickstart import serial_line
from console_api.cmd.quickstart.screen import Screen


@contextlib.contextmanager
def running(host: str) -> Iterator[Mapping[str, int]]:
    """Serve both in a thread until the end of the block.

    :returns: the ports by protocol
    """
    started: futures.Future[asyncio.AbstractEventLoop] = futures.Future()
    stopped = asyncio.Event()
    consoles = {"vnc": Screen().serve, "serial": serial_line.serve}
    listening = {
        protocol: socket.create_server((host, 0)) for protocol in consoles
    }

    async def serve() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for protocol, console in consoles.items():
                server = await asyncio.start_server(
                    console, sock=listening[protocol]
                )
                await stack.enter_async_context(server)
            started.set_result(asyncio.get_running_loop())
            await stopped.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield {
            protocol: listener.getsockname()[1]
            for protocol, listener in listening.items()
        }
    finally:
        started.result().call_soon_threadsafe(stopped.set)
        thread.join()
