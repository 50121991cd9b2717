# SPDX-License-Identifier: Apache-2.0
"""The directory ``pipeline``: queries the API behind our filter.

Requests are made as the caller, who finds only servers that Nova shows to it;
nothing is cached between callers.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self

from oslo_config import cfg

from console_api import errors, values
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory import records
from console_api.directory.base import Directory, Server
from console_api.directory.nova import responses

#: Sends GET for a path to that API as the caller; returns the status and the
#: body of the response.
Ask = Callable[[str], tuple[int, bytes]]

_ask: ContextVar[Ask | None] = ContextVar("ask", default=None)

# Nova's policy rule for showing a server of the caller's project.
_SHOW = "os_compute_api:servers:show"


@contextlib.contextmanager
def asking(ask: Ask) -> Iterator[None]:
    """Let the directory look up servers with ``ask``, in this context."""
    token = _ask.set(ask)
    try:
        yield
    finally:
        _ask.reset(token)


class PipelineDirectory(Directory):
    """Servers that Nova shows to the caller.

    Nova shows most callers neither the compute host nor the instance name,
    and no caller the endpoints: the stored ones are kept.
    """

    def __init__(self, database: Database) -> None:
        """Prepare.

        :param database: where the table ``servers`` is
        """
        self._database = database

    @classmethod
    def from_conf(
        cls,
        conf: cfg.ConfigOpts,  # noqa: ARG003 (it has no options of its own)
        database: Database,
    ) -> Self:
        """Create the driver; see ``Directory.from_conf``."""
        return cls(database)

    def get(self, server_id: str) -> Server:
        """Return a server as Nova shows it to the caller.

        A server that Nova does not show may belong to another project, so
        what is stored of it is kept.

        :raises ServerNotFound: Nova does not show the server to the caller
        :raises Forbidden: Nova's policy forbids the caller to see servers
        :raises DirectoryUnavailable: there is no response, or an invalid one
        """
        if not values.is_uuid(server_id):
            raise errors.ServerNotFound(server_id)
        document = self._request(server_id)
        stored = servers.get(self._database, server_id)
        try:
            server = _merge(server_id, document, stored)
        except (LookupError, ValueError) as error:
            raise responses.unavailable(
                f"invalid server {server_id} in the response: {error!r:.200}. "
                "Let Nova's policy "
                "os_compute_api:os-extended-server-attributes show more to "
                "the caller, or run agents with another directory."
            ) from error
        records.update(self._database, server)
        return server

    def _request(self, server_id: str) -> Mapping[str, Any]:
        ask = _ask.get()
        if ask is None:
            raise responses.unavailable(
                "the directory `pipeline` works only in Nova's pipeline"
            )
        status, body = ask(f"/servers/{server_id}")
        if status == 403:
            # There is no proxy in between: this is Nova's policy.
            raise errors.Forbidden(_SHOW)
        try:
            document = responses.read(status, body).get("server")
        except responses.Refusal as refusal:
            if refusal.status == 404:
                raise errors.ServerNotFound(server_id) from refusal
            raise responses.unavailable(str(refusal)) from refusal
        return document if isinstance(document, dict) else {}


def _merge(
    server_id: str, document: Mapping[str, Any], stored: Server | None
) -> Server:
    """Return a server, with stored values for what the caller cannot see.

    :raises LookupError, ValueError: the document is invalid
    """
    if stored is None:
        return responses.server(server_id, document)
    server = responses.server(
        server_id,
        {
            responses.HOST: stored.compute_host,
            responses.INSTANCE_NAME: stored.instance_name,
            **document,
        },
    )
    return dataclasses.replace(server, endpoints=stored.endpoints)
