# SPDX-License-Identifier: Apache-2.0
"""Wait for conditions in tests; nothing waits for a fixed time.

Most conditions hold in other processes, which do not announce them, so they
are polled.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

#: Seconds within which a condition must hold, even on a busy machine.
TIMEOUT = 60.0

# Seconds between two polls.
_INTERVAL = 0.01


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds.

    :raises TimeoutError: it did not hold in time
    """
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not true within {TIMEOUT} s: {condition}")
        time.sleep(_INTERVAL)


async def wait_until_async(
    condition: Callable[[], bool | Awaitable[bool]],
) -> None:
    """Wait until a condition holds, while the event loop runs.

    :param condition: a function or a coroutine function
    :raises TimeoutError: it did not hold in time
    """
    async with asyncio.timeout(TIMEOUT):
        while True:
            holds = condition()
            if inspect.isawaitable(holds):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(_INTERVAL)
