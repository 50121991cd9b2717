# SPDX-License-Identifier: Apache-2.0
"""The consoles that the database assigns to this console host."""

import time
from collections.abc import Callable, Mapping

from console_api import errors
from console_api.agent.drivers.base import Console
from console_api.db import (
    clock,
    console_changes,
    console_hosts,
    console_problems,
    heartbeats,
)
from console_api.db.console_changes import AssignedConsole
from console_api.db.console_hosts import NewConsoleHost
from console_api.db.engine import Database
from console_api.db.heartbeats import AgentReport
from console_api.keys.repository import KeyRepository

# Maximum number of changes read at once; more cause a full read.
_MAX_CHANGES = 1000

# Before all revisions, which causes a full read.
_NOTHING_READ = -1


class ConsoleFeed:
    """Follows the consoles of one console host.

    Each change of a console raises the revision of its console host by one
    (``console_api.db.tables``): if the revision is the same, nothing has
    changed, and if a revision is missing, everything is read again.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyRepository,
        host: NewConsoleHost,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow a console host without reading anything yet.

        :param monotonic: returns seconds
        """
        self._database = database
        self._keys = keys
        self._host = host
        self._host_id: int | None = None
        self._revision = _NOTHING_READ
        # The problems that the database has, None if that is unknown.
        self._reported: Mapping[int, str] | None = None
        self._monotonic = monotonic
        self._encrypted: dict[int, str] = {}
        # When consoles expire, by ID.
        self._deadlines: dict[int, float] = {}
        #: The consoles by ID; replaced on changes, never modified.
        self.consoles: Mapping[int, Console] = {}
        #: Why passwords cannot be decrypted, by ID of the console.
        self.unreadable: Mapping[int, str] = {}

    @property
    def is_registered(self) -> bool:
        """Whether the console host existed when it was last read."""
        return self._host_id is not None

    @property
    def revision(self) -> int | None:
        """The revision of ``consoles``, None before the first read."""
        return None if self._revision == _NOTHING_READ else self._revision

    def report(self, report: AgentReport) -> None:
        """Record a heartbeat; register the console host if necessary.

        :raises Conflict: consoles have ports outside the configured range
        :raises DatabaseUnavailable: the database does not answer
        """
        if self._host_id is None:
            self._host_id = console_hosts.register(self._database, self._host)
            self._reported = None
        heartbeats.record(self._database, self._host_id, report)

    def report_problems(self, problems: Mapping[int, str]) -> None:
        """Record which consoles cannot be served, by ID, and why.

        :raises DatabaseUnavailable: the database does not answer
        """
        if self._host_id is None:
            return
        if self._reported is None:
            console_problems.replace(self._database, self._host_id, problems)
        elif changes := _changes(self._reported, problems):
            console_problems.update(self._database, self._host_id, changes)
        self._reported = dict(problems)

    def read_clock(self) -> int:
        """Return the time at the database server, in seconds since the epoch.

        :raises DatabaseUnavailable: the database does not answer
        """
        return clock.read(self._database)

    def read_all(self) -> None:
        """Read all consoles, and prune the changes that led to them.

        :raises DatabaseUnavailable: the database does not answer
        """
        host = self._read_host()
        if host is None:
            return
        host_id, revision = host
        # A change between these two reads is in the rows, and is read again
        # by the next `read_changes`, which does no harm.
        consoles = console_changes.list_all(self._database, host_id)
        self._replace({console.id: console for console in consoles})
        self._revision = revision
        console_changes.prune(self._database, host_id, revision)

    def read_changes(self) -> None:
        """Read what has changed since the last read.

        :raises DatabaseUnavailable: the database does not answer
        """
        host = self._read_host()
        if host is None:
            return
        host_id, revision = host
        if revision == self._revision:
            return
        changes = console_changes.list_since(
            self._database, host_id, self._revision, _MAX_CHANGES
        )
        last = changes[-1].revision if changes else 0
        if last < revision or last != self._revision + len(changes):
            # There are too many, or some have been pruned.
            self.read_all()
            return
        self._replace(
            {change.console_id: change.console for change in changes},
            self.consoles,
        )
        self._revision = last

    def drop_expired(self) -> None:
        """Remove the consoles that have expired since they were read.

        This needs no database, which may be unavailable.
        """
        expired = self._expired()
        if expired:
            self._replace(dict.fromkeys(expired), self.consoles)

    def unexpired(self) -> Mapping[int, Console]:
        """Return the consoles that have not expired since they were read.

        It changes nothing, and may be called while they are read again.
        """
        expired = self._expired()
        return {
            console_id: console
            for console_id, console in self.consoles.items()
            if console_id not in expired
        }

    def _expired(self) -> set[int]:
        now = self._monotonic()
        return {
            console_id
            for console_id, deadline in self._deadlines.items()
            if deadline <= now
        }

    def _read_host(self) -> tuple[int, int] | None:
        """Return the ID and revision of the console host.

        Without it, there are no consoles.
        """
        host = console_hosts.get(
            self._database, self._host.host, self._host.console_type
        )
        if host is None or host.id != self._host_id:
            # An operator deleted it; the next report registers it again.
            self._host_id = None
            self._revision = _NOTHING_READ
            self._replace({})
            return None
        return host.id, host.revision

    def _replace(
        self,
        changed: Mapping[int, AssignedConsole | None],
        others: Mapping[int, Console] | None = None,
    ) -> None:
        """Replace the consoles.

        :param changed: consoles by ID; None for those that no longer exist
        :param others: consoles to keep unless they have changed
        """
        consoles = {
            console_id: console
            for console_id, console in (others or {}).items()
            if console_id not in changed
        }
        unreadable = {
            console_id: reason
            for console_id, reason in self.unreadable.items()
            if others is not None and console_id not in changed
        }
        for console_id, assigned in changed.items():
            if assigned is None:
                continue
            try:
                consoles[console_id] = self._decrypt(assigned)
            except errors.ConfigurationError as error:
                unreadable[console_id] = str(error)
        self.consoles, self.unreadable = consoles, unreadable
        self._deadlines = self._deadlines_of(changed, consoles)
        self._encrypted = {
            console_id: self._encrypted[console_id] for console_id in consoles
        }

    def _deadlines_of(
        self,
        changed: Mapping[int, AssignedConsole | None],
        consoles: Mapping[int, Console],
    ) -> dict[int, float]:
        now = self._monotonic()
        deadlines = {**self._deadlines}
        for console_id, assigned in changed.items():
            deadlines.pop(console_id, None)
            if assigned is not None and assigned.expires_in is not None:
                deadlines[console_id] = now + assigned.expires_in
        return {
            console_id: deadline
            for console_id, deadline in deadlines.items()
            if console_id in consoles
        }

    def _decrypt(self, assigned: AssignedConsole) -> Console:
        """Decrypt the password, unless it has not changed."""
        encrypted = assigned.encrypted_password
        known = self.consoles.get(assigned.id)
        if known and self._encrypted.get(assigned.id) == encrypted:
            password = known.password
        else:
            password = self._keys.decrypt(encrypted)
            self._encrypted[assigned.id] = encrypted
        return Console(
            id=assigned.id,
            server_id=assigned.server_id,
            instance_name=assigned.instance_name,
            compute_host=assigned.compute_host,
            port=assigned.port,
            password=password,
        )


def _changes(
    before: Mapping[int, str], after: Mapping[int, str]
) -> dict[int, str | None]:
    """Return the problems that differ; None for those that are solved."""
    return {
        console_id: after.get(console_id)
        for console_id in before.keys() | after.keys()
        if before.get(console_id) != after.get(console_id)
    }
