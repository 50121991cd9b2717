# SPDX-License-Identifier: Apache-2.0
"""What a gateway reports to the API: traffic, and sessions that ended."""

import operator
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from console_api.gateway.brokers.base import OpenSession, Traffic

# Seconds between two reports of the traffic of a session.
_TRAFFIC_INTERVAL = 10

# Sessions in a request: the API accepts bodies of 112 KiB by default.
BATCH_SIZE = 500

# Ended sessions that are kept while the API is down; more than a worker has.
_MAX_PENDING = 20_000

_FIRST_ID = "00000000-0000-0000-0000-000000000000"
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

Document = dict[str, Any]


@dataclass(slots=True)
class _Entry:
    """An open session, and what was reported of it last, and when."""

    session: OpenSession
    bytes_in: int
    bytes_out: int
    reported_at: float


@dataclass(slots=True)
class Report:
    """A heartbeat, or a part of it; ``documents`` describe sessions.

    ``first`` and ``last`` are the lowest and the highest ID for which a
    complete report has all sessions; None means any.
    """

    is_complete: bool
    documents: Sequence[Document] = field(repr=False)
    first: str | None = None
    last: str | None = None


class TrafficReports:
    """Decides which open sessions a heartbeat reports."""

    def __init__(self) -> None:
        """Begin without sessions."""
        self._entries: dict[str, _Entry] = {}

    @property
    def sessions(self) -> Sequence[OpenSession]:
        """The open sessions."""
        return [entry.session for entry in self._entries.values()]

    def __len__(self) -> int:
        """Return the number of open sessions."""
        return len(self._entries)

    def add(self, session: OpenSession, now: float) -> None:
        """Report a session from now on.

        :param now: in monotonic time, as for all methods
        """
        self._entries[session.grant.session_id] = _Entry(session, 0, 0, now)

    def remove(self, session: OpenSession) -> None:
        """Report a session no longer."""
        self._entries.pop(session.grant.session_id, None)

    def find(self, session_id: str) -> OpenSession | None:
        """Return an open session."""
        entry = self._entries.get(session_id)
        return None if entry is None else entry.session

    def changed(self, now: float) -> Sequence[Report]:
        """Return reports of the sessions whose traffic changed."""
        documents = [
            _document(session_id, entry, traffic, now)
            for session_id, entry in self._entries.items()
            if now >= entry.reported_at + _TRAFFIC_INTERVAL
            and _differs(entry, traffic := entry.session.traffic)
        ]
        return [
            Report(is_complete=False, documents=part)
            for part in _parts(documents)
        ]

    def all(self, now: float) -> Sequence[Report]:
        """Return complete reports, which have all sessions together."""
        documents = [
            _document(session_id, entry, entry.session.traffic, now)
            for session_id, entry in sorted(
                self._entries.items(), key=operator.itemgetter(0)
            )
        ]
        reports = [
            Report(is_complete=True, documents=part)
            for part in _parts(documents)
        ]
        if len(reports) > 1:
            _divide(reports)
        return reports


class EndedSessions:
    """Sessions whose end the API has not recorded yet; the newest ones."""

    def __init__(self) -> None:
        """Begin without sessions."""
        self._documents: deque[Document] = deque()
        #: Whether one was dropped, so that only a complete report ends it.
        self.is_incomplete = False

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self._documents)

    def add(self, session_id: str, reason: str, traffic: Traffic) -> None:
        """Add a session that ended.

        :param reason: the label of a close reason
        """
        if len(self._documents) >= _MAX_PENDING:
            self._documents.popleft()
            self.is_incomplete = True
        self._documents.append(
            {
                "id": session_id,
                "reason": reason,
                "bytes_in": traffic.bytes_in,
                "bytes_out": traffic.bytes_out,
            }
        )

    def take(self) -> Sequence[Document]:
        """Remove and return the oldest ones, at most ``BATCH_SIZE``."""
        count = min(len(self._documents), BATCH_SIZE)
        return [self._documents.popleft() for _ in range(count)]

    def put_back(self, documents: Sequence[Document]) -> None:
        """Add sessions that were taken, but not recorded."""
        self._documents.extendleft(reversed(documents))


def _parts(documents: Sequence[Document]) -> Sequence[Sequence[Document]]:
    """Divide documents into parts, at least one."""
    starts = range(0, len(documents) or 1, BATCH_SIZE)
    return [documents[start : start + BATCH_SIZE] for start in starts]


def _divide(reports: Sequence[Report]) -> None:
    """Give each part its range of IDs, so that every ID is in one."""
    first = _FIRST_ID
    for report in reports:
        report.first = first
        report.last = str(report.documents[-1]["id"])
        first = str(uuid.UUID(int=uuid.UUID(report.last).int + 1))
    reports[-1].last = _LAST_ID


def _differs(entry: _Entry, traffic: Traffic) -> bool:
    return (traffic.bytes_in, traffic.bytes_out) != (
        entry.bytes_in,
        entry.bytes_out,
    )


def _document(
    session_id: str, entry: _Entry, traffic: Traffic, now: float
) -> Document:
    """Describe a session, and note that it is reported."""
    entry.bytes_in, entry.bytes_out = traffic.bytes_in, traffic.bytes_out
    entry.reported_at = now
    return {
        "id": session_id,
        "bytes_in": traffic.bytes_in,
        "bytes_out": traffic.bytes_out,
        "idle_seconds": max(0, int(traffic.idle_seconds)),
    }
