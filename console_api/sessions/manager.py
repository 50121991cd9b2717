# SPDX-License-Identifier: Apache-2.0
"""Open, resume, report and close sessions through gateways."""

import secrets
import time
import uuid
from collections.abc import Callable, Sequence

from console_api import errors
from console_api.db import (
    console_gateways,
    console_sessions,
    session_limits,
    session_origins,
)
from console_api.db.console_gateways import (
    Closed,
    Cut,
    Gateway,
    Instructions,
    Traffic,
)
from console_api.db.console_sessions import Opening
from console_api.db.engine import Database
from console_api.db.session_limits import Limits
from console_api.db.session_origins import Origin, Resumable
from console_api.directory.base import Directory
from console_api.sessions.grants import Grant, SessionSettings, Viewer
from console_api.tokens.manager import hash_token

# Includes what the methods take and return.
__all__ = [
    "Closed",
    "Cut",
    "Gateway",
    "Grant",
    "Instructions",
    "SessionManager",
    "SessionSettings",
    "Traffic",
    "Viewer",
]

# 256 bits.
_SECRET_BYTES = 32

# Seconds after which a retry makes sense when a limit is reached.
_LIMIT_RETRY_AFTER = 10

# Attempts to open a session of a project or user without a row of its own.
_MAX_ATTEMPTS = 3


class SessionManager:
    """Operations of gateways on sessions."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        settings: SessionSettings,
    ) -> None:
        """Prepare the operations.

        :param directory: confirms where servers are
        """
        self._database = database
        self._directory = directory
        self._settings = settings
        self._limits = Limits(settings.maxima, settings.resume_timeout)

    def open(
        self, token: bytes, viewer: Viewer, *, is_connected: bool
    ) -> Grant:
        """Open a session with a token.

        :param token: arbitrary bytes from the client
        :param is_connected: false if a page has exchanged the token and is
            about to connect
        :raises SessionRefused: the token is not valid or was used, or a lock
            or limit refuses
        :raises DatabaseUnavailable: the database does not respond
        :raises Unavailable: the directory does not respond
        """
        origin = self._find_token(token)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        opening = _opening(str(uuid.uuid4()), secret, viewer)
        self._store(
            origin,
            lambda: console_sessions.insert(
                self._database,
                opening,
                origin,
                self._limits,
                is_single_use=self._settings.is_single_use,
                is_connected=is_connected,
                max_duration=self._settings.max_duration,
            ),
            errors.TokenUsed,
            errors.InvalidToken,
        )
        return self._grant(
            opening.id, origin, secret, self._settings.max_duration
        )

    def resume(self, secret: str, viewer: Viewer) -> Grant:
        """Connect a pending session, or resume one that has been connected.

        :raises SessionRefused: the secret is not valid or too old, or a lock
            or limit refuses
        :raises DatabaseUnavailable: the database does not respond
        :raises Unavailable: the directory does not respond
        """
        old = self._find_resumable(secret)
        left = 0
        if old.deadline_at is not None:
            left = old.deadline_at - old.now
            if left <= 0:
                raise errors.InvalidSecret
        is_pending = old.connected_at is None
        opening = _opening(
            old.id if is_pending else str(uuid.uuid4()), secret, viewer
        )
        self._store(
            old.origin,
            lambda: (
                console_sessions.connect(
                    self._database, old, opening, self._limits
                )
                if is_pending
                else console_sessions.resume(
                    self._database, old, opening, self._limits
                )
            ),
            errors.InvalidSecret,
            errors.InvalidSecret,
        )
        return self._grant(opening.id, old.origin, None, left)

    def beat(
        self,
        gateway: Gateway,
        reported: Sequence[Traffic],
        *,
        is_complete: bool,
        bounds: tuple[str, str],
    ) -> Instructions:
        """Record a heartbeat: see ``console_gateways.beat``.

        :raises DatabaseUnavailable: the database does not respond
        """
        return console_gateways.beat(
            self._database,
            gateway,
            reported,
            is_complete=is_complete,
            bounds=bounds,
        )

    def close(self, gateway_id: str, sessions: Sequence[Closed]) -> None:
        """Record that sessions have ended; unknown ones are ignored.

        :raises DatabaseUnavailable: the database does not respond
        """
        console_gateways.close(self._database, gateway_id, sessions)

    def cut(self, session_id: str) -> None:
        """Cut a session; one that has ended can then not be resumed.

        Nor does its token open another one.

        :raises DatabaseUnavailable: the database does not respond
        """
        console_sessions.cut(self._database, session_id)

    def _find_token(self, token: bytes) -> Origin:
        def find() -> Origin:
            found = session_origins.find_token(
                self._database, hash_token(token), int(time.time())
            )
            if found is None:
                raise errors.InvalidToken
            return found

        origin = find()
        return find() if self._confirm(origin) else origin

    def _find_resumable(self, secret: str) -> Resumable:
        def find() -> Resumable:
            found = session_origins.find_resumable(
                self._database, hash_token(secret.encode())
            )
            if found is None or self._is_over(found):
                raise errors.InvalidSecret
            return found

        old = find()
        return find() if self._confirm(old.origin) else old

    def _is_over(self, session: Resumable) -> bool:
        """Return whether it is too late to connect or resume."""
        since = (
            session.created_at
            if session.connected_at is None
            else session.ended_at
        )
        return (
            since is not None
            and session.now > since + self._settings.resume_timeout
        )

    def _confirm(self, origin: Origin) -> bool:
        """Return whether the directory has just updated the server."""
        try:
            return self._directory.confirm(origin.server_id)
        except errors.ServerNotFound as error:
            raise errors.InvalidToken from error

    def _store(
        self,
        origin: Origin,
        write: Callable[[], None],
        used: type[errors.SessionRefused],
        revoked: type[errors.SessionRefused],
    ) -> None:
        """Write, and translate why that is not possible."""
        for _ in range(_MAX_ATTEMPTS):
            try:
                write()
            except console_sessions.ScopeMissing:
                console_sessions.add_scopes(
                    self._database, origin, self._limits
                )
            except console_sessions.AlreadyUsed as error:
                raise used from error
            except console_sessions.Revoked as error:
                raise revoked from error
            except session_limits.Refused as refusal:
                raise _refused(str(refusal)) from refusal
            else:
                return
        raise errors.Overloaded

    def _grant(
        self, id_: str, origin: Origin, secret: str | None, left: int
    ) -> Grant:
        settings = self._settings
        return Grant(
            id_,
            secret,
            origin,
            left,
            settings.idle_timeout,
            settings.resume_timeout,
        )


def _opening(id_: str, secret: str, viewer: Viewer) -> Opening:
    return Opening(
        id_,
        hash_token(secret.encode()),
        viewer.gateway_id,
        viewer.gateway,
        viewer.client_address,
        viewer.proxy_address,
    )


def _refused(reason: str) -> errors.ConsoleAPIError:
    if reason == session_limits.LOCKED:
        return errors.SessionLocked()
    if reason == session_limits.UNKNOWN_GATEWAY:
        return errors.UnknownGateway()
    return errors.SessionLimit(reason, _LIMIT_RETRY_AFTER)
