# SPDX-License-Identifier: Apache-2.0
"""Issue, check and revoke console auth tokens."""

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console_api import errors, values
from console_api.db import console_auth_tokens
from console_api.db.console_auth_tokens import ConnectionInfo, NewToken
from console_api.db.engine import Database
from console_api.directory.base import Directory, Server
from console_api.tokens import access

# Includes ConnectionInfo, which `TokenManager.check` returns.
__all__ = [
    "ConnectionInfo",
    "RemoteConsole",
    "TokenManager",
    "TokenOptions",
    "hash_token",
    "purge",
]

# 256 bits, as 43 characters that need no quoting in a URL.
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class RemoteConsole:
    """A new remote console.

    The URL contains the token, which is returned only once.
    """

    protocol: str
    console_type: str
    url: str


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """What sessions of a token may do.

    A ``view_only`` one shows the screen and sends nothing to the server; an
    ``exclusive`` one may disconnect other viewers.
    """

    view_only: bool = False
    exclusive: bool = False


class TokenManager:
    """Operations on console auth tokens, which are stored as hashes."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        ttl: int,
        base_urls: Mapping[str, str],
    ) -> None:
        """Prepare the operations.

        :param directory: looks up the endpoints of servers
        :param ttl: the lifetime of a token, in seconds
        :param base_urls: the base of access URLs by console type; other
            types are disabled
        """
        self._database = database
        self._directory = directory
        self._ttl = ttl
        self._base_urls = base_urls

    def issue(
        self,
        server: Server,
        protocol: str,
        console_type: str,
        user_id: str | None,
        options: TokenOptions | None = None,
    ) -> RemoteConsole:
        """Issue a token for a server's endpoint and return its access URL.

        :param protocol: one of ``values.PROTOCOLS``
        :param user_id: the user who requested the token, if known
        :param options: those of ``TokenOptions()`` by default
        :raises ServerNotReady: the server is not scheduled to a compute host
        :raises InvalidInput: the console type does not belong to the
            protocol or is disabled, or the server has no such endpoint
        :raises ServerNotFound: the server was deleted, or has lost its
            endpoint or changed its project, concurrently
        :raises DatabaseUnavailable: the database does not respond
        :raises Unavailable: the directory does not respond
        """
        if server.compute_host is None:
            raise errors.ServerNotReady(server.uuid)
        if console_type not in values.CONSOLE_TYPES_BY_PROTOCOL[protocol]:
            raise errors.InvalidInput(f"Invalid console type {console_type}")
        base_url = self._base_urls.get(console_type)
        endpoint = None
        if base_url and protocol not in server.endpoints:
            # The endpoint is not in the database.
            endpoint = self._directory.endpoint(server, protocol)
        if not base_url or not (endpoint or protocol in server.endpoints):
            raise errors.InvalidInput(
                f"Unavailable console type {console_type}."
            )
        token = _draw_token()
        options = options or TokenOptions()
        stored = console_auth_tokens.insert(
            self._database,
            NewToken(
                token_hash=hash_token(token.encode()),
                server_id=server.uuid,
                project_id=server.project_id,
                compute_host=server.compute_host,
                protocol=protocol,
                console_type=console_type,
                user_id=user_id,
                expires_at=int(time.time()) + self._ttl,
                view_only=options.view_only,
                exclusive=options.exclusive,
            ),
            endpoint,
        )
        if not stored:
            raise errors.ServerNotFound(server.uuid)
        return RemoteConsole(
            protocol=protocol,
            console_type=console_type,
            url=access.access_url(console_type, base_url, token),
        )

    def check(self, token: bytes) -> ConnectionInfo:
        """Return the connection info of a token, which stays valid.

        It is valid only for where the directory says its server is now.

        :param token: arbitrary bytes from the client
        :raises TokenNotFound: it was never issued, has expired or is revoked;
            or its server was deleted or has moved
        :raises DatabaseUnavailable: the database does not respond
        :raises Unavailable: the directory does not respond
        """
        info = self.find(token)
        try:
            if self._directory.confirm(info.server_id):
                info = self.find(token)
        except errors.ServerNotFound as error:
            raise errors.TokenNotFound from error
        return info

    def find(self, token: bytes) -> ConnectionInfo:
        """Return the connection info of a token as it is stored.

        Unlike ``check``, this does not ask the directory about the server.

        :param token: arbitrary bytes from the client
        :raises TokenNotFound: it was never issued, has expired or is revoked
        :raises DatabaseUnavailable: the database does not respond
        """
        info = console_auth_tokens.find(
            self._database, hash_token(token), int(time.time())
        )
        if info is None:
            raise errors.TokenNotFound
        return info

    def revoke(self, token: bytes) -> None:
        """Revoke a token, immediately and for all workers.

        :raises TokenNotFound: it does not exist
        :raises DatabaseUnavailable: the database does not respond
        """
        if not console_auth_tokens.delete(self._database, hash_token(token)):
            raise errors.TokenNotFound

    def revoke_all(self, server: Server) -> None:
        """Revoke all tokens of a server, immediately and for all workers.

        :raises DatabaseUnavailable: the database does not respond
        """
        console_auth_tokens.delete_of_server(self._database, server.uuid)


def _draw_token() -> str:
    """Return a random token that no command takes for an option."""
    while (token := secrets.token_urlsafe(_TOKEN_BYTES)).startswith("-"):
        pass
    return token


def hash_token(token: bytes) -> str:
    """Return the hash of a token, in the form in which it is stored."""
    return hashlib.sha256(token).hexdigest()


def purge(database: Database, batch: int) -> Iterator[int]:
    """Delete expired tokens in batches.

    :param batch: the maximum number of tokens in a transaction
    :returns: the number of tokens deleted by each batch
    :raises DatabaseUnavailable: the database does not respond
    """
    return console_auth_tokens.purge(database, int(time.time()), batch)
