# SPDX-License-Identifier: Apache-2.0
"""The PROXY protocol, versions 1 and 2, without sockets.

The source is HAProxy's specification, proxy-protocol.txt.
"""

import ipaddress
import struct
from collections.abc import Generator

from console_api.net.addresses import readable

#: Yields how many bytes are needed next, receives exactly those, and returns
#: the address of the client; None if the proxy connects on its own behalf.
Steps = Generator[int, bytes, str | None]

_V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_V2_HEADER = struct.Struct(">BBH")

_V1_BEGIN = b"PROXY "
_MAX_V1_LENGTH = 107

# Addresses of any family, and a few hundred bytes of extensions.
_MAX_V2_LENGTH = 2048

# Version 2 with the commands LOCAL and PROXY.
_LOCAL, _PROXY = 0x20, 0x21

# The upper half of the family, and the length of an address.
_INET, _INET6 = 1, 2
_LENGTHS = {_INET: 4, _INET6: 16}


class ProxyProtocolError(Exception):
    """A proxy did not send what the protocol prescribes."""


def read_header() -> Steps:
    """Read the header in front of a connection.

    :raises ProxyProtocolError: it is malformed
    """
    begin = yield len(_V2_SIGNATURE)
    if begin == _V2_SIGNATURE:
        return (yield from _read_v2())
    if begin.startswith(_V1_BEGIN):
        return (yield from _read_v1(begin))
    raise ProxyProtocolError("The PROXY protocol is missing.")


def _read_v1(line: bytes) -> Steps:
    while not line.endswith(b"\r\n"):
        if len(line) >= _MAX_V1_LENGTH:
            raise ProxyProtocolError("The PROXY line is too long.")
        line += yield 1
    _, family, *rest = line.decode("latin-1").rstrip("\r\n").split(" ")
    if family == "UNKNOWN":
        return None
    if family not in ("TCP4", "TCP6") or len(rest) != 4:
        raise ProxyProtocolError("The PROXY line is malformed.")
    try:
        return readable(rest[0])
    except ValueError as error:
        raise ProxyProtocolError("The PROXY line has no address.") from error


def _read_v2() -> Steps:
    command, family, length = _V2_HEADER.unpack((yield _V2_HEADER.size))
    if command not in (_LOCAL, _PROXY) or length > _MAX_V2_LENGTH:
        raise ProxyProtocolError("The PROXY header is malformed.")
    body = yield length
    size = _LENGTHS.get(family >> 4)
    if command == _LOCAL or size is None:
        return None
    if length < 2 * size + 4:
        raise ProxyProtocolError("The PROXY header is too short.")
    return readable(str(ipaddress.ip_address(body[:size])))
