# SPDX-License-Identifier: Apache-2.0
"""Limits of sessions that a worker applies by itself."""

import hashlib
from collections import Counter

from console_api.gateway.brokers.base import Refused
from console_api.gateway.close_reasons import CloseReason

# Seconds until a page retries after a limit was reached.
_RETRY_AFTER = 10


class SessionCounts:
    """Counts sessions by what they have in common, such as a server."""

    def __init__(self, **limits: int) -> None:
        """Begin without sessions.

        :param limits: the maximum number of sessions by scope
        """
        self._limits = limits
        self._counts: Counter[str] = Counter()
        # What each session counts for.
        self._keys: dict[str, list[str]] = {}

    def add(self, session_id: str, **values: str) -> None:
        """Count a session.

        :param values: by scope; only their hashes are kept
        :raises Refused: a limit is reached
        """
        keys = []
        for scope, value in values.items():
            digest = hashlib.sha256(value.encode(errors="replace"))
            keys.append(f"{scope} {digest.hexdigest()}")
            if self._counts[keys[-1]] >= self._limits[scope]:
                raise Refused(
                    CloseReason.LIMIT_REACHED,
                    label=f"{scope}_limit",
                    retry_after=_RETRY_AFTER,
                )
        self._counts.update(keys)
        self._keys[session_id] = keys

    def remove(self, session_id: str) -> None:
        """Count a session no longer; does nothing if it is not counted."""
        for key in self._keys.pop(session_id, ()):
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]
