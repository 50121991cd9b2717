# SPDX-License-Identifier: Apache-2.0
"""What the clients of a failover test noticed, in figures."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

#: Operations that change the database.
WRITES = ("create", "delete", "issue")


@dataclass(frozen=True)
class Outcome:
    """A request: its times and the status of its reply, 0 without one.

    Times are seconds of the monotonic clock.
    """

    operation: str
    started_at: float
    ended_at: float
    status: int

    @property
    def is_acknowledged_write(self) -> bool:
        """Whether a change was made."""
        return self.operation in WRITES and self.status in (200, 202)


@dataclass(frozen=True)
class Figures:
    """What clients noticed of an event, with times in seconds since then.

    ``switched`` is when new connections reached another database server,
    ``interrupted`` the longest time without an acknowledged write, and
    ``refused`` when the last 503 was received, 0 without any.
    """

    event: str
    requests: int
    refusals: int
    switched: float
    interrupted: float
    refused: float


def summarize(
    event: str,
    outcomes: Sequence[Outcome],
    began_at: float,
    switched_at: float,
) -> Figures:
    """Return the figures of an event.

    :param outcomes: all requests; those that ended before do not count
    :param began_at: when it happened, on the monotonic clock
    :param switched_at: when new connections reached another server
    """
    outcomes = [outcome for outcome in outcomes if outcome.ended_at > began_at]
    refused = [
        outcome.ended_at for outcome in outcomes if outcome.status == 503
    ]
    written = sorted(
        outcome.ended_at
        for outcome in outcomes
        if outcome.is_acknowledged_write
    )
    return Figures(
        event=event,
        requests=len(outcomes),
        refusals=len(refused),
        switched=switched_at - began_at,
        interrupted=max(
            (
                later - earlier
                for earlier, later in itertools.pairwise([began_at, *written])
            ),
            default=float("inf"),
        ),
        refused=max(refused, default=began_at) - began_at,
    )
