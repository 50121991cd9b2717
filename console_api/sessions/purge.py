# SPDX-License-Identifier: Apache-2.0
"""Delete the history of sessions."""

from collections.abc import Iterator

from console_api.db import console_session_purge
from console_api.db.engine import Database

_DAY = 86400


def purge(
    database: Database, *, resume_timeout: int, retention: int, batch: int
) -> Iterator[int]:
    """Delete old sessions in batches, and what is left of others.

    That is gateways that do not return, and the scopes of projects and users
    without sessions.

    :param resume_timeout: seconds after which a session that no viewer has
        connected to is closed
    :param retention: how many days closed sessions are kept
    :param batch: the maximum number of sessions in a transaction
    :returns: the number of sessions deleted by each batch
    :raises DatabaseUnavailable: the database does not respond
    """
    console_session_purge.drop_gateways(database)
    console_session_purge.close_pending(database, resume_timeout)
    yield from console_session_purge.purge(database, retention * _DAY, batch)
    console_session_purge.purge_scopes(database, batch)
