# SPDX-License-Identifier: Apache-2.0
import asyncio
import socket
import ssl
import struct
import tempfile
from pathlib import Path
from typing import Any
from unittest import IsolatedAsyncioTestCase

from aiohttp import web

from console_api.gateway.listener import Connection, Listener, bind
from console_api.gateway.proxies import TrustedProxies
from console_api.tests import certificates
from console_api.tests.waiting import TIMEOUT, wait_until_async

_V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

# Seconds, less than the time limit for a head or a handshake.
_SOON = 8

_REQUEST = b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"


class ListenerCase(IsolatedAsyncioTestCase):
    """Tests of a listener whose handler returns who sends the request."""

    async def asyncSetUp(self) -> None:
        # In debug mode, asyncio logs failed handshakes and slow callbacks.
        asyncio.get_running_loop().set_debug(False)

    async def start(
        self,
        *,
        context: ssl.SSLContext | None = None,
        proxies: TrustedProxies | None = None,
        max_connections: int = 100,
        timeout: int = 10,  # noqa: ASYNC109 (of the listener)
        address: str = "127.0.0.1",
    ) -> None:
        """Start the listener of the test."""
        self.listener = Listener(
            self._handle,
            context,
            max_connections=max_connections,
            timeout=timeout,
        )
        sockets = bind([address], 0, reuse_port=False)
        self.port = sockets[0].getsockname()[1]
        self.listener.proxies = proxies
        self.listener.start(sockets)
        self.addAsyncCleanup(self.listener.close)
        self.addCleanup(self.listener.stop)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        protocol = request.protocol
        assert isinstance(protocol, Connection)
        protocol.begin_request()
        peer = protocol.peer
        return web.Response(text=f"{peer.address} {peer.proxy_address}")

    async def connect(
        self, data: bytes = b"", address: str = "127.0.0.1", **options: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, and send bytes."""
        reader, writer = await asyncio.open_connection(
            address, self.port, **options
        )
        self.addCleanup(writer.close)
        writer.write(data)
        return reader, writer

    async def answer(self, *args: Any, **options: Any) -> str:
        """Connect, send bytes, and return the body of the response."""
        reader, _ = await self.connect(*args, **options)
        async with asyncio.timeout(TIMEOUT):
            head = await reader.readuntil(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
            length = head.lower().partition(b"content-length: ")[2]
            body = await reader.readexactly(int(length.split()[0]))
        return body.decode()

    async def assert_closed(self, reader: asyncio.StreamReader) -> bytes:
        """Wait for the end of a connection; return what came before."""
        async with asyncio.timeout(TIMEOUT):
            try:
                return await reader.read()
            except ConnectionError:
                return b""


class HeadTest(ListenerCase):
    async def test_silent_connection_is_closed(self) -> None:
        await self.start(timeout=1)
        reader, _ = await self.connect()
        self.assertEqual(b"", await self.assert_closed(reader))
        await wait_until_async(lambda: len(self.listener) == 0)

    async def test_slow_head_is_closed(self) -> None:
        await self.start(timeout=1)
        reader, writer = await self.connect(_REQUEST[:-2])
        closed = asyncio.create_task(self.assert_closed(reader))
        # A byte now and then does not extend the time.
        while not closed.done():
            writer.write(b"X")
            await asyncio.wait((closed,), timeout=0.1)
        self.assertEqual(b"", closed.result())

    async def test_slow_second_head_is_closed(self) -> None:
        await self.start(timeout=1)
        reader, writer = await self.connect(_REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_REQUEST[:-2])
        await self.assert_closed(reader)

    async def test_endless_head_is_refused(self) -> None:
        await self.start()
        field = b"X-Field: " + 1000 * b"x" + b"\r\n"
        for head in (
            b"GET /" + 100_000 * b"x",
            b"GET / HTTP/1.1\r\nX-Field: " + 100_000 * b"x",
            b"GET / HTTP/1.1\r\n" + 80 * field,
            b"GET / HTTP/1.1\r\n" + 200 * b"X: y\r\n",
        ):
            with self.subTest(head[:40]):
                # They have no end, and are refused before the time limit.
                reader, _ = await self.connect(head)
                async with asyncio.timeout(_SOON):
                    answer = await self.assert_closed(reader)
                self.assertRegex(answer, rb"^(HTTP/1.0 400 Bad Request\r\n|$)")
                self.assertNotIn(b"xxx", answer)


class LimitTest(ListenerCase):
    async def test_oldest_connection_of_busiest_address_goes(self) -> None:
        await self.start(max_connections=3, address="::")
        other, _ = await self.connect(address="::1")
        first, _ = await self.connect()
        await wait_until_async(lambda: len(self.listener) == 2)
        self.assertEqual("127.0.0.1 None", await self.answer(_REQUEST))
        last, writer = await self.connect()
        await self.assert_closed(first)
        self.assertFalse(other.at_eof())
        writer.write(_REQUEST)
        self.assertIn(b"200", await last.readline())

    async def test_many_silent_connections_leave_nothing_behind(self) -> None:
        await self.start(max_connections=50)
        with self.assertNoLogs():
            for _ in range(20):
                pairs = [await self.connect() for _ in range(25)]
                for number, (_, writer) in enumerate(pairs):
                    if number % 2:
                        _reset(writer)
                    writer.close()
            self.assertEqual("127.0.0.1 None", await self.answer(_REQUEST))
        await wait_until_async(lambda: len(self.listener) == 1)

    async def test_garbage_is_not_logged(self) -> None:
        await self.start()
        with self.assertNoLogs():
            for data in (
                b"\x16\x03\x01garbage\r\n\r\n",
                b"GET /?token=secret HTTP/9.9\r\n\r\n",
                b"GET /?token=secret\r\n\r\n",
                b"GET /?token=secret HTTP/1.1\r\nBad Header: x\r\n\r\n",
                b"POST /?token=secret HTTP/1.1\r\nHost: a\r\n"
                b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
                b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            ):
                reader, writer = await self.connect(data)
                writer.write_eof()
                answer = await self.assert_closed(reader)
                self.assertNotIn(b"secret", answer)


class ProxyProtocolTest(ListenerCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        proxies = TrustedProxies(["127.0.0.0/8"])
        await self.start(proxies=proxies, address="::", timeout=1)

    async def test_client_of_proxy_is_told(self) -> None:
        v6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
        for header, peer in (
            (
                b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 443\r\n",
                "192.0.2.7 127.0.0.1",
            ),
            (b"PROXY UNKNOWN\r\n", "127.0.0.1 None"),
            (
                _v2(0x21, 0x21, v6 + bytes(16) + bytes(4)),
                "2001:db8::7 127.0.0.1",
            ),
            (_v2(0x20, 0, b""), "127.0.0.1 None"),
        ):
            with self.subTest(header):
                self.assertEqual(peer, await self.answer(header + _REQUEST))

    async def test_header_in_pieces_is_read(self) -> None:
        header = b"PROXY TCP6 2001:db8::7 ::1 4000 443\r\n" + _REQUEST
        reader, writer = await self.connect()
        for byte in header:
            writer.write(bytes((byte,)))
            await writer.drain()
        async with asyncio.timeout(TIMEOUT):
            self.assertIn(b"200", await reader.readline())

    async def test_connection_without_header_is_closed(self) -> None:
        for data in (
            _REQUEST,
            b"PROXY TCP4 x\r\n",
            b"PROXY TCP4 x y 1 2\r\n",
            b"PROXY " + 1000 * b"x",
            _v2(0x22, 0x11, bytes(12)),
            _v2(0x21, 0x11, bytes(4)),
            _v2(0x21, 0x11, bytes(5000)),
            b"PROXY TCP4 192.0.2.7",
        ):
            with self.subTest(data[:40]), self.assertNoLogs():
                reader, _ = await self.connect(data)
                self.assertEqual(b"", await self.assert_closed(reader))

    async def test_untrusted_peer_does_not_use_it(self) -> None:
        self.assertEqual(
            "::1 None", await self.answer(_REQUEST, address="::1")
        )
        reader, _ = await self.connect(
            b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 443\r\n" + _REQUEST,
            address="::1",
        )
        self.assertIn(b"400", await self.assert_closed(reader))


class TLSTest(ListenerCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        authority = certificates.make(folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(
            authority.certificate_file, authority.key_file
        )
        self.client = ssl.create_default_context(cafile=authority.ca_file)

    async def test_request_over_tls(self) -> None:
        await self.start(context=self.context)
        self.assertEqual(
            "127.0.0.1 None", await self.answer(_REQUEST, ssl=self.client)
        )

    async def test_slow_tls_handshake_is_closed(self) -> None:
        await self.start(context=self.context, timeout=1)
        with self.assertNoLogs():
            reader, _ = await self.connect(b"\x16\x03\x01")
            await self.assert_closed(reader)

    async def test_silent_tls_handshakes_are_limited(self) -> None:
        await self.start(context=self.context, max_connections=2)
        silent = [await self.connect() for _ in range(3)]
        async with asyncio.timeout(_SOON):
            await self.assert_closed(silent[0][0])
        self.assertEqual(
            "127.0.0.1 None", await self.answer(_REQUEST, ssl=self.client)
        )

    async def test_plain_request_is_not_logged(self) -> None:
        await self.start(context=self.context)
        with self.assertNoLogs():
            reader, _ = await self.connect(_REQUEST)
            await self.assert_closed(reader)

    async def test_tls_behind_proxy_protocol(self) -> None:
        await self.start(
            context=self.context, proxies=TrustedProxies(["127.0.0.1"])
        )
        raw = socket.create_connection(("127.0.0.1", self.port))
        raw.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 443\r\n")
        raw.setblocking(False)
        reader, writer = await asyncio.open_connection(
            sock=raw, ssl=self.client, server_hostname="127.0.0.1"
        )
        self.addCleanup(writer.close)
        writer.write(_REQUEST)
        async with asyncio.timeout(TIMEOUT):
            await reader.readuntil(b"192.0.2.7 127.0.0.1")


def _v2(command: int, family: int, body: bytes) -> bytes:
    """Return a header of the PROXY protocol, version 2."""
    head = struct.pack(">BBH", command, family, len(body))
    return _V2_SIGNATURE + head + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Let closing a connection reset it."""
    connection = writer.get_extra_info("socket")
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
