# SPDX-License-Identifier: Apache-2.0
"""The contract of a directory: where servers are looked up."""

import abc
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from oslo_config import cfg

from console_api.db.engine import Database

#: The protocols that a server may have an endpoint for.
PROTOCOLS = ("vnc", "spice", "rdp", "serial", "mks")

#: A header of requests that a directory sends to the API that we may be a
#: filter of: those are not for us.
SKIP_FILTER = "X-Console-API-Skip-Filter"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_server_id(text: str) -> bool:
    """Tell whether a text can be the id of a server: a canonical UUID."""
    return _UUID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the screen of a server is served on its compute host."""

    host: str
    port: int
    tls_port: int | None = None
    internal_access_path: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server as its directory knows it.

    ``compute_host`` is None until the server has been placed; ``endpoints``
    has those that its directory tells with the server, at most one for each
    of ``PROTOCOLS``.  Ask ``Directory.endpoint`` for one: some directories
    tell them only then.
    """

    uuid: str
    project_id: str
    name: str
    instance_name: str
    compute_host: str | None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)


class Directory(abc.ABC):
    """What a driver in the namespace ``console_api.directory`` offers."""

    @classmethod
    @abc.abstractmethod
    def from_conf(cls, conf: cfg.ConfigOpts, database: Database) -> Self:
        """Make the driver.

        :raises ConfigurationError: its options do not allow it to work
        """

    @abc.abstractmethod
    def get(self, server_id: str) -> Server:
        """Look a server up.

        Consoles and tokens refer to the row of their server in the table
        ``servers``: a driver whose servers are elsewhere keeps it current,
        with ``console_api.directory.records``.

        :param server_id: whatever the caller sent, perhaps no UUID at all
        :raises ServerNotFound: there is no such server
        :raises Unavailable: the directory does not answer
        """

    def endpoint(self, server: Server, protocol: str) -> Endpoint | None:
        """Return where a server's screen is served, None if nowhere.

        Asked only for who is about to connect: it may cost a directory more
        than the server did.

        :param server: as ``get`` has returned it
        :param protocol: one of ``PROTOCOLS``
        :raises ServerNotFound: the server is gone meanwhile
        :raises ServerNotReady: the server has no screens yet
        :raises Unavailable: the directory does not answer
        """
        return server.endpoints.get(protocol)
