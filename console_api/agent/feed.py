# SPDX-License-Identifier: Apache-2.0
"""What the database says that this console host has."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from console_api import errors
from console_api.agent.drivers.base import Console
from console_api.db import console_changes, console_hosts
from console_api.db.engine import Database
from console_api.keys.repository import KeyRepository

# How many changes are read at once; more than that, and all is read.
_MOST_CHANGES = 1000

# Before all revisions, so that all is read.
_NOTHING_READ = -1


class ConsoleFeed:
    """Follows the consoles of one console host.

    Each change of them has raised the revision of the console host by one
    (``console_api.db.tables``): if the revision is still the same, nothing
    has changed, and if a revision is missing, all is read anew.
    """

    def __init__(
        self, database: Database, keys: KeyRepository, host: Mapping[str, Any]
    ) -> None:
        """Follow a console host; nothing is read yet.

        :param host: the columns that its agent gives it
        """
        self._database = database
        self._keys = keys
        self._host = host
        self._host_id: int | None = None
        self._revision = _NOTHING_READ
        self._encrypted: dict[int, str] = {}
        #: The consoles by id; replaced, never changed.
        self.consoles: Mapping[int, Console] = {}
        #: Why the passwords of some cannot be read, by id.
        self.unreadable: Mapping[int, str] = {}

    @property
    def is_registered(self) -> bool:
        """Whether the console host was there when it was last looked at."""
        return self._host_id is not None

    def report(self, now: int) -> None:
        """Say that this console host lives; registers it if it has to.

        :raises Conflict: its ports leave out some that consoles have
        :raises DatabaseUnavailable: the database does not answer
        """
        if self._host_id is None:
            self._host_id = console_hosts.register(
                self._database, {**self._host, "last_seen_at": now}
            )
        else:
            console_hosts.seen(self._database, self._host_id, now)

    def read_all(self) -> None:
        """Read all consoles, and forget the changes that led to them.

        :raises DatabaseUnavailable: the database does not answer
        """
        host = self._read_host()
        if host is None:
            return
        # What changes between these two reads is seen by both, and again
        # by the next `read_changes`: a console can be set twice.
        rows = console_changes.list_all(self._database, host.id)
        self._replace({row.id: row for row in rows})
        self._revision = host.revision
        console_changes.forget(self._database, host.id, host.revision)

    def read_changes(self) -> None:
        """Read what has changed since the last time.

        :raises DatabaseUnavailable: the database does not answer
        """
        host = self._read_host()
        if host is None or host.revision == self._revision:
            return
        changes = console_changes.list_since(
            self._database, host.id, self._revision, _MOST_CHANGES
        )
        last = changes[-1].revision if changes else 0
        if last < host.revision or last != self._revision + len(changes):
            # Too many, or some have been forgotten.
            self.read_all()
            return
        self._replace({row.console_id: row for row in changes}, self.consoles)
        self._revision = last

    def _read_host(self) -> sa.Row[Any] | None:
        """Read the console host, whose consoles are gone if it is."""
        host = console_hosts.get(
            self._database, self._host["host"], self._host["console_type"]
        )
        if host is None or host.id != self._host_id:
            # An operator has deleted it; the next report registers it again.
            self._host_id = None
            self._revision = _NOTHING_READ
            self._replace({})
            return None
        return host

    def _replace(
        self,
        rows: Mapping[int, sa.Row[Any]],
        others: Mapping[int, Console] | None = None,
    ) -> None:
        """Set the consoles to what rows say, besides others.

        A row whose id is null is of a console that is gone.
        """
        consoles = {
            number: console
            for number, console in (others or {}).items()
            if number not in rows
        }
        unreadable = {
            number: reason
            for number, reason in self.unreadable.items()
            if others is not None and number not in rows
        }
        for number, row in rows.items():
            if row.id is None:
                continue
            try:
                consoles[number] = self._console(row)
            except errors.ConfigurationError as error:
                unreadable[number] = str(error)
        self.consoles, self.unreadable = consoles, unreadable
        self._encrypted = {
            number: self._encrypted[number] for number in consoles
        }

    def _console(self, row: sa.Row[Any]) -> Console:
        known = self.consoles.get(row.id)
        if known and self._encrypted.get(row.id) == row.encrypted_password:
            password = known.password
        else:
            password = self._keys.decrypt(row.encrypted_password)
            self._encrypted[row.id] = row.encrypted_password
        return Console(
            id=row.id,
            server_id=row.server_id,
            instance_name=row.instance_name,
            compute_host=row.compute_host,
            port=row.port,
            password=password,
        )
