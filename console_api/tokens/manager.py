# SPDX-License-Identifier: Apache-2.0
"""Issue, check and revoke console auth tokens."""

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console_api import errors
from console_api.db import console_auth_tokens
from console_api.db.console_auth_tokens import ConnectionInfo, NewToken
from console_api.db.engine import Database
from console_api.directory.base import Directory, Server
from console_api.tokens import access

# What `TokenManager.check` returns belongs to its interface.
__all__ = [
    "ConnectionInfo",
    "RemoteConsole",
    "TokenManager",
    "hash_token",
    "purge",
]

# 256 bits, as 43 characters that need no quoting in a URL.
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class RemoteConsole:
    """A remote console that has just been created: its access URL.

    The URL carries the token and leaves the service this once.
    """

    protocol: str
    console_type: str
    url: str


class TokenManager:
    """The operations on console auth tokens; they are stored as hashes."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        ttl: int,
        base_urls: Mapping[str, str],
    ) -> None:
        """Issue tokens for the console types that have a base URL.

        :param directory: knows the endpoints of servers
        :param ttl: how many seconds a token is valid
        :param base_urls: where clients go, by console type
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
    ) -> RemoteConsole:
        """Issue a token for a server's endpoint and return its access URL.

        :raises ServerNotReady: the server has no compute host
        :raises InvalidInput: the type is not of the protocol, is switched
            off, or the server has no endpoint for it
        :raises ServerNotFound: the server was deleted, or lost its endpoint
            or its project, meanwhile
        :raises Unavailable: the directory does not answer
        """
        if server.compute_host is None:
            raise errors.ServerNotReady(server.uuid)
        if console_type not in access.TYPES_OF_PROTOCOL[protocol]:
            raise errors.InvalidInput(f"Invalid console type {console_type}")
        base_url = self._base_urls.get(console_type)
        endpoint = None
        if base_url and protocol not in server.endpoints:
            # It is not in our tables: only the directory knows it.
            endpoint = self._directory.endpoint(server, protocol)
        if not base_url or not (endpoint or protocol in server.endpoints):
            raise errors.InvalidInput(
                f"Unavailable console type {console_type}."
            )
        token = secrets.token_urlsafe(_TOKEN_BYTES)
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
        """Look up what a token stands for, without using it up.

        :param token: the bytes that the client sent, whatever they are
        :raises TokenNotFound: it was never issued, has expired or is revoked
        """
        info = console_auth_tokens.find(
            self._database, hash_token(token), int(time.time())
        )
        if info is None:
            raise errors.TokenNotFound
        return info

    def revoke(self, token: bytes) -> None:
        """Make a token worthless at once, on every worker.

        :raises TokenNotFound: it is not there
        """
        if not console_auth_tokens.delete(self._database, hash_token(token)):
            raise errors.TokenNotFound


def hash_token(token: bytes) -> str:
    """Return the form in which a token is stored."""
    return hashlib.sha256(token).hexdigest()


def purge(database: Database, batch: int) -> Iterator[int]:
    """Delete the tokens that have expired, in batches.

    :returns: the number deleted by each batch, as they go
    """
    return console_auth_tokens.purge(database, int(time.time()), batch)
