# SPDX-License-Identifier: Apache-2.0
import random
import struct
import unittest

from console_api.gateway.proxy_protocol import ProxyProtocolError, read_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = bytes((203, 0, 113, 7, 192, 0, 2, 1)) + struct.pack(">HH", 5000, 443)
V6 = bytes.fromhex("20010db8" + "00" * 11 + "07") * 2 + bytes(4)


def v2(command: int, family: int, body: bytes) -> bytes:
    """Return a header of version 2."""
    return SIGNATURE + struct.pack(">BBH", command, family, len(body)) + body


HEADERS = {
    b"PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n": "203.0.113.7",
    b"PROXY TCP6 2001:db8::7 2001:db8::1 5000 443\r\n": "2001:db8::7",
    b"PROXY TCP6 ::ffff:203.0.113.7 ::1 5000 443\r\n": "203.0.113.7",
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n": None,
    v2(0x21, 0x11, V4): "203.0.113.7",
    v2(0x21, 0x21, V6): "2001:db8::7",
    v2(0x21, 0x11, V4 + b"\3\0\4abcd"): "203.0.113.7",
    v2(0x20, 0x00, b""): None,
    v2(0x20, 0x11, V4): None,
    v2(0x21, 0x31, bytes(216)): None,
}
MALFORMED = (
    b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n",
    b"\x16\3\1\2\0\1\0\1\xfc\3\3" + bytes(20),
    b"PROXY TCP4 203.0.113.7\r\n",
    b"PROXY TCP4 gateway.example.org 192.0.2.1 5000 443\r\n",
    b"PROXY UDP4 203.0.113.7 192.0.2.1 5000 443\r\n",
    b"PROXY TCP4 " + b"1" * 200 + b"\r\n",
    v2(0x11, 0x11, V4),
    v2(0x22, 0x11, V4),
    v2(0x21, 0x11, V4[:-1]),
    v2(0x21, 0x21, V4),
    v2(0x21, 0x11, bytes(3000)),
)


def read(data: bytes) -> tuple[str | None, bytes]:
    """Return the address in a header, and what follows it."""
    steps = read_header()
    needed = next(steps)
    while True:
        if len(data) < needed:
            raise EOFError
        try:
            part, data = data[:needed], data[needed:]
            needed = steps.send(part)
        except StopIteration as end:
            return end.value, data


class ReadHeaderTest(unittest.TestCase):
    def test_headers(self) -> None:
        for header, address in HEADERS.items():
            with self.subTest(header):
                self.assertEqual((address, b"more"), read(header + b"more"))

    def test_malformed_headers_are_refused(self) -> None:
        for header in MALFORMED:
            with (
                self.subTest(header),
                self.assertRaises(ProxyProtocolError),
            ):
                read(header)

    def test_random_headers(self) -> None:
        source = random.Random(20)
        for _ in range(3000):
            header = bytearray(source.choice(list(HEADERS)))
            for _ in range(source.randint(1, 4)):
                header[source.randrange(len(header))] = source.randrange(256)
            try:
                read(bytes(header) + bytes(200))
            except (ProxyProtocolError, EOFError):
                continue
