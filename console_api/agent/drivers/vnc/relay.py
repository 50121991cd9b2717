# SPDX-License-Identifier: Apache-2.0
"""The pipe between a viewer and the display of its server."""

import asyncio

from console_api.net.stream import Stream


async def relay(viewer: Stream, display: Stream, idle_timeout: float) -> str:
    """Pipe a viewer and a display into each other until one of them closes.

    :param idle_timeout: seconds without data in either direction after which
        the session ends; 0 means no limit
    :returns: the reason for the end, for the log
    """
    loop = asyncio.get_running_loop()
    viewer.pipe_into(display)
    display.pipe_into(viewer)
    remaining: float | None = idle_timeout or None
    while remaining is None or remaining > 0:
        done, _ = await asyncio.wait(
            (viewer.over, display.over),
            timeout=remaining,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if viewer.over in done:
            return "closed by the viewer"
        if done:
            return "closed by the display"
        last_read_at = max(viewer.last_read_at, display.last_read_at)
        remaining = last_read_at + idle_timeout - loop.time()
    return "idle timeout"
