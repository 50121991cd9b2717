# SPDX-License-Identifier: Apache-2.0
"""SPICE channels that reach another worker than their main channel.

The kernel chooses a worker for each connection.  Each worker listens on a
Unix socket in a folder that only the gateway's user may enter.  A worker
without the main channel of a session asks the others; the connection between
the two workers lasts as long as the channel.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from console_api.gateway.brokers.base import Credential, Grant, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.spice_channels import (
    Channel,
    SpiceSessions,
    digest,
    unknown_channel,
)
from console_api.spice.link import Link

# Seconds that another worker has to answer.
_TIMEOUT = 5


class SpiceWorkers:
    """The SPICE sessions of all workers of a gateway."""

    def __init__(
        self, sessions: SpiceSessions, folder: Path, name: str
    ) -> None:
        """Start alone.

        :param sessions: those of this worker
        :param folder: where the workers have their sockets
        :param name: that of this worker, unique in the folder
        """
        self._sessions = sessions
        self._folder = folder
        self._path = folder / f"{name}.sock"
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Answer other workers from now on."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    def close(self) -> None:
        """Stop to answer; channels of the other workers end."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for writer in self._writers:
            writer.close()

    @contextlib.asynccontextmanager
    async def join(
        self, credential: Credential, link: Link, channel: Channel
    ) -> AsyncIterator[Grant]:
        """Add a channel to the session of its main channel.

        It belongs to the session while the context lasts.

        :returns: the grant of the session
        :raises Refused: there is no such session, or it does not allow it
        """
        session = self._sessions.find(digest(credential), link)
        if session is not None:
            session.join(link, channel)
            try:
                yield session.grant
            finally:
                session.leave(channel)
            return
        request = {
            "digest": digest(credential).hex(),
            "connection_id": link.connection_id,
            "channel_type": link.channel_type,
        }
        grant, reader, writer = await self._ask(request)
        watcher = asyncio.create_task(_wait_for_cut(reader, channel))
        try:
            yield grant
        finally:
            watcher.cancel()
            writer.close()

    async def _ask(
        self, request: dict[str, Any]
    ) -> tuple[Grant, asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the grant of another worker, and the connection to it.

        :raises Refused: no worker has the session, or it refuses the channel
        """
        for path in sorted(self._folder.glob("*.sock")):
            if path == self._path:
                continue
            try:
                async with asyncio.timeout(_TIMEOUT):
                    reader, writer = await asyncio.open_unix_connection(path)
                    writer.write(_encode(request))
                    answer = json.loads(await reader.readline() or b"{}")
            except (OSError, TimeoutError):
                # It stopped; its socket remains if it was killed.
                continue
            if grant := answer.get("grant"):
                return Grant(**grant), reader, writer
            writer.close()
            if refusal := answer.get("refused"):
                raise Refused(
                    CloseReason[refusal["reason"]],
                    refusal["message"],
                    label=refusal["label"],
                )
        raise unknown_channel()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer a worker, and keep its channel until it closes."""
        self._writers.add(writer)
        try:
            async with asyncio.timeout(_TIMEOUT):
                request = json.loads(await reader.readline())
            link = Link(
                request["connection_id"],
                request["channel_type"],
                frozenset(),
                b"",
            )
            found = bytes.fromhex(request["digest"])
            await self._keep(found, link, reader, writer)
        except (OSError, TimeoutError, ValueError):
            # The other worker stopped.
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _keep(
        self,
        key: bytes,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        session = self._sessions.find(key, link)
        if session is None:
            writer.write(_encode({}))
            return
        channel = _RemoteChannel(writer)
        try:
            session.join(link, channel)
        except Refused as refusal:
            writer.write(_encode({"refused": _describe(refusal)}))
            return
        try:
            writer.write(_encode({"grant": asdict(session.grant)}))
            await reader.read(1)
        finally:
            session.leave(channel)


class _RemoteChannel:
    """A channel that another worker serves."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def cut(self, reason: CloseReason) -> None:
        if not self._writer.is_closing():
            self._writer.write(_encode({"cut": reason.name}))
            self._writer.close()


async def _wait_for_cut(
    reader: asyncio.StreamReader, channel: Channel
) -> None:
    """Cut a channel when the worker with its main channel says so."""
    line = b""
    with contextlib.suppress(OSError):
        line = await reader.readline()
    if line:
        channel.cut(CloseReason[json.loads(line)["cut"]])
    else:  # That worker has stopped.
        channel.cut(CloseReason.GATEWAY_STOPPED)


def _describe(refusal: Refused) -> dict[str, Any]:
    return {
        "reason": refusal.reason.name,
        "message": str(refusal),
        "label": refusal.label,
    }


def _encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
