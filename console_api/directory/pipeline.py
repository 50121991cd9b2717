# SPDX-License-Identifier: Apache-2.0
"""The directory that asks the API whose pipeline we are a filter of.

It asks as the caller, so that nobody learns of a server that Nova would not
show; nothing is remembered from one caller to the next.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self

from oslo_config import cfg

from console_api import errors
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory import records
from console_api.directory.base import Directory, Server, is_server_id
from console_api.directory.database import server_from_rows
from console_api.directory.nova import answers

#: Sends a GET for a path to that API, as the caller, and returns status and
#: body of the answer.
Ask = Callable[[str], tuple[int, bytes]]

_ask: ContextVar[Ask | None] = ContextVar("ask", default=None)

# What Nova decides by whether it shows a server of the caller's project.
_SHOW = "os_compute_api:servers:show"


@contextlib.contextmanager
def asking(ask: Ask) -> Iterator[None]:
    """Let servers be looked up in this way, in this thread, for a while."""
    token = _ask.set(ask)
    try:
        yield
    finally:
        _ask.reset(token)


class PipelineDirectory(Directory):
    """The servers that Nova shows to the caller.

    Nova shows most callers neither compute host nor instance name, and none
    of them endpoints: those stay what they are in the tables.
    """

    def __init__(self, database: Database) -> None:
        """Keep the rows in this database."""
        self._database = database

    @classmethod
    def from_conf(
        cls,
        conf: cfg.ConfigOpts,  # noqa: ARG003 (it has no options of its own)
        database: Database,
    ) -> Self:
        """Make the driver."""
        return cls(database)

    def get(self, server_id: str) -> Server:
        """Look a server up as the caller.

        One that Nova does not show may be of another project: what is known
        of it stays.

        :raises ServerNotFound: Nova does not show it to the caller
        :raises Forbidden: it is of the caller's project, and Nova's policy
            lets the caller see none
        :raises DirectoryUnavailable: no answer, or one that cannot be used
        """
        if not is_server_id(server_id):
            raise errors.ServerNotFound(server_id)
        told = self._told(server_id)
        rows = servers.get(self._database, server_id)
        known = server_from_rows(rows) if rows else None
        try:
            server = _merged(server_id, told, known)
        except (LookupError, TypeError, ValueError) as error:
            raise answers.unavailable(
                f"{error!r:.200} in what it shows the caller of server "
                f"{server_id}. Let its policy "
                "os_compute_api:os-extended-server-attributes show more, or "
                "run agents with another directory."
            ) from error
        records.keep(self._database, server)
        return server

    def _told(self, server_id: str) -> Any:
        ask = _ask.get()
        if ask is None:
            raise answers.unavailable(
                "the directory `pipeline` is for the filter in Nova's pipeline"
            )
        status, body = ask(f"/servers/{server_id}")
        if status == 403:
            # No proxy stands between: it is Nova's policy that says so.
            raise errors.Forbidden(_SHOW)
        try:
            return answers.read(status, body).get("server")
        except answers.Refusal as refusal:
            if refusal.status == 404:
                raise errors.ServerNotFound(server_id) from refusal
            raise answers.unavailable(str(refusal)) from refusal


def _merged(
    server_id: str, told: Mapping[str, Any], known: Server | None
) -> Server:
    """Read a server; what the caller is not shown is what is known."""
    if known is None:
        return answers.server(server_id, told)
    server = answers.server(
        server_id,
        {
            answers.HOST: known.compute_host,
            answers.INSTANCE_NAME: known.instance_name,
            **told,
        },
    )
    return Server(
        uuid=server.uuid,
        project_id=server.project_id,
        name=server.name,
        instance_name=server.instance_name,
        compute_host=server.compute_host,
        endpoints=known.endpoints,
    )
