# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import dataclasses
import socket
import ssl
import unittest
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from unittest import mock

from console_api.net.dial import (
    DialError,
    DialRefused,
    Target,
    connect,
    dial,
)
from console_api.net.stream import Stream
from console_api.rfb.endpoint import Credentials
from console_api.tests.ports import free_port
from console_api.tests.unit.rfb.base import OK, V3, V8

_UNKNOWN = Credentials()


@contextlib.asynccontextmanager
async def display(answer: bytes | None) -> AsyncIterator[Target]:
    """Serve a display that sends an answer and closes, or stays silent."""
    is_done = asyncio.Event()

    async def serve(
        _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if answer is None:
            await is_done.wait()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Target(*server.sockets[0].getsockname())
        is_done.set()


@contextlib.contextmanager
def unanswered(host: str, port: int) -> Iterator[None]:
    """Have attempts to connect to an address neither accepted nor refused."""
    with socket.socket() as listening:
        listening.bind((host, port))
        listening.listen(0)
        # Fills the backlog.
        with socket.create_connection((host, port)):
            yield


def resolved(*hosts: str) -> AbstractContextManager[object]:
    """Have every name resolve to some addresses."""

    async def look_up(_host: str, port: int, **_kwargs: object) -> object:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        return [(*kind, (host, port)) for host in hosts]

    loop = asyncio.get_running_loop()
    return mock.patch.object(loop, "getaddrinfo", look_up)


class DialTest(unittest.IsolatedAsyncioTestCase):
    async def dial(
        self,
        target: Target,
        time_limit: float = 10,
        credentials: Credentials = _UNKNOWN,
    ) -> Stream:
        stream = await dial(
            target,
            credentials=credentials,
            tls=ssl.create_default_context(),
            timeout=time_limit,
        )
        self.addCleanup(stream.close)
        return stream

    async def assert_error(
        self, message: str, target: Target, time_limit: float = 10
    ) -> None:
        with self.assertRaisesRegex(DialError, message):
            await self.dial(target, time_limit)

    async def test_stream_is_ready_for_client_init(self) -> None:
        async with display(V8 + b"\1\1" + OK + b"more") as target:
            stream = await self.dial(target)
            self.assertEqual(b"more", await stream.receive())

    async def test_http_connect_precedes_rfb(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\n\r\n" + V3 + b"\0\0\0\1"
        async with display(answer) as target:
            await self.dial(Target(target.host, target.port, path="/path"))

    async def test_error_names_its_cause(self) -> None:
        for answer, expected in (
            (b"SSH-2.0", "does not speak RFB"),
            (V8, "closed by the other end"),
            (V8 + b"\1\2", "requires a VNC password"),
        ):
            async with display(answer) as target:
                with self.subTest(answer):
                    await self.assert_error(expected, target)

    async def test_silent_display_is_a_timeout(self) -> None:
        async with display(None) as target:
            await self.assert_error("did not answer in time", target, 0.1)

    async def test_closed_port_is_an_error(self) -> None:
        target = Target("127.0.0.1", free_port())
        await self.assert_error(
            f"^{target.address}: The connection failed: Connection refused",
            target,
        )

    async def test_error_names_compute_host(self) -> None:
        for host, address in (
            ("127.0.0.1", "127.0.0.1:5900"),
            ("2001:db8::1", "[2001:db8::1]:5900"),
        ):
            target = Target(host, 5900, "compute-1")
            self.assertEqual(f"{address} on compute-1", str(target))

    async def test_only_refusal_makes_retry_pointless(self) -> None:
        for answer, expected in ((V8 + b"\1\2", True), (V8, False)):
            async with display(answer) as target:
                with self.assertRaises(DialError) as raised:
                    await self.dial(target)
            is_refused = isinstance(raised.exception, DialRefused)
            self.assertEqual(expected, is_refused)

    async def test_next_address_is_tried_while_first_is_silent(self) -> None:
        async with display(V8 + b"\1\1" + OK) as target:
            with (
                unanswered("127.0.0.2", target.port),
                resolved("127.0.0.2", target.host),
            ):
                # Fails after the time limit if they are tried in turn.
                await self.dial(Target("compute-1", target.port))

    async def test_error_of_several_addresses_is_readable(self) -> None:
        target = Target("compute-1", free_port())
        with resolved("127.0.0.1", "127.0.0.2"):
            await self.assert_error("failed: Connection refused[.]$", target)

    async def test_invalid_host_is_an_error(self) -> None:
        for host in ("two..dots", "x" * 64, "null\0"):
            for is_tls in (False, True):
                with self.subTest(host, is_tls=is_tls):
                    target = Target(host, 1, is_tls=is_tls)
                    await self.assert_error("not a valid name", target)


class ConnectTest(unittest.IsolatedAsyncioTestCase):
    async def connect(
        self, target: Target, path: str | None = None, limit: float = 30
    ) -> Stream:
        stream = await connect(
            dataclasses.replace(target, path=path),
            tls=ssl.create_default_context(),
            timeout=limit,
        )
        self.addCleanup(stream.close)
        return stream

    async def test_endpoint_speaks_whatever_it_wants(self) -> None:
        async with display(b"login: ") as target:
            stream = await self.connect(target)
            self.assertEqual(b"login: ", await stream.receive())

    async def test_bytes_behind_http_response_stay_in_stream(self) -> None:
        async with display(b"HTTP/1.1 200 OK\r\n\r\nlogin: ") as target:
            stream = await self.connect(target, "/console")
            self.assertEqual(b"login: ", await stream.receive())

    async def test_refused_path_is_reported(self) -> None:
        async with display(b"HTTP/1.1 404 Not Found\r\n\r\n") as target:
            with self.assertRaisesRegex(DialRefused, "HTTP status 404"):
                await self.connect(target, "/console")

    async def test_silent_proxy_is_a_timeout(self) -> None:
        async with display(None) as target:
            with self.assertRaisesRegex(DialError, "did not answer in time"):
                await self.connect(target, "/console", limit=0.01)
