# SPDX-License-Identifier: Apache-2.0
"""An RFB session with one client, up to an empty screen."""

import asyncio
import struct
import time

VERSIONS = {b"RFB 003.003\n": 3, b"RFB 003.007\n": 7, b"RFB 003.008\n": 8}
VNC, XVP = 2, 22

_PASSWORD_KEY = bytes.fromhex("c1240899c2260705")


class Closed(Exception):
    """The session has ended."""


class Session:
    """One client on one socket."""

    def __init__(self, connection, target, find):
        """Prepare the session.

        :param target: the server of the port, None for the multiplex port
        :param find: returns the server that a client names
        """
        self._connection = connection
        self._target = target
        self._find = find
        self._loop = asyncio.get_running_loop()

    async def run(self):
        """Serve the client until it disconnects."""
        minor = await self._version()
        await self._choose(minor)
        # As predictable as that of xvp.
        challenge = struct.pack(">QQ", 0, int(time.time()))
        await self._send(challenge)
        answered = await self._receive(16)
        if self._target is None or answered != answer(
            _des(_PASSWORD_KEY).decryptor().update(self._target.password),
            challenge,
        ):
            reason = b"Access denied"
            await self._send(struct.pack(">I", 1))
            if minor == 8:
                await self._send(struct.pack(">I", len(reason)) + reason)
            raise Closed
        await self._send(struct.pack(">I", 0))
        await self._receive(1)
        await self._send(_screen(self._target.name.encode("latin-1")))
        while await self._loop.sock_recv(self._connection, 4096):
            pass

    async def _version(self):
        await self._send(b"RFB 003.008\n")
        version = VERSIONS.get(await self._receive(12))
        if version is None:
            raise Closed
        return version

    async def _choose(self, minor):
        if minor == 3:
            await self._send(struct.pack(">I", VNC))
            return
        await self._send(bytes([2, VNC, XVP]))
        request = await self._receive(1, more=True)
        if request[0] == XVP:
            # The type, two lengths, and two strings of these lengths.
            while (
                len(request) < 3 or len(request) < 3 + request[1] + request[2]
            ):
                request += await self._receive(1, more=True)
            target = request[3 + request[1] :].decode("latin-1")
            self._target = self._find(target)
        elif request != bytes([VNC]):
            raise Closed

    async def _send(self, data):
        await self._loop.sock_sendall(self._connection, data)

    async def _receive(self, length, *, more=False):
        """Receive bytes; end the session if the client sends ahead."""
        data = b""
        while len(data) < length:
            part = await self._loop.sock_recv(self._connection, 4096)
            if not part:
                raise Closed
            data += part
        if len(data) > length and not more:
            raise Closed
        return data


def _des(key):
    # Imported late: most processes exit before a client gets this far.
    from cryptography.hazmat.decrepit.ciphers.algorithms import (  # noqa: PLC0415
        TripleDES,
    )
    from cryptography.hazmat.primitives.ciphers import (  # noqa: PLC0415
        Cipher,
        modes,
    )

    return Cipher(TripleDES(key + key + key), modes.ECB())  # noqa: S305 - as VNC


def answer(password, challenge):
    """Return a VNC client's response, for a password of 8 bytes."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password)
    return _des(key).encryptor().update(challenge)


def _screen(name):
    pixel_format = struct.pack(
        ">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0
    )
    size = struct.pack(">HH", 640, 480)
    return size + pixel_format + struct.pack(">I", len(name)) + name
