# SPDX-License-Identifier: Apache-2.0
"""An RFB session with one client, up to an empty screen."""

import select
import struct
import time

VERSIONS = {b"RFB 003.003\n": 3, b"RFB 003.007\n": 7, b"RFB 003.008\n": 8}
VNC, XVP = 2, 22

# select() cannot wait for file descriptors from this number up.
SELECT_LIMIT = 1024

_PASSWORD_KEY = bytes.fromhex("c1240899c2260705")


class Closed(Exception):
    """The session has ended."""


class Session:
    """One client on one socket."""

    def __init__(self, connection, target, life, find, on_log_in):
        """Prepare the session.

        :param target: the server of the port, None for the multiplex port
        :param life: a pipe that ends when the master does
        :param find: returns the server that a client names
        :param on_log_in: called with the name of the server
        """
        self._connection = connection
        self._target = target
        self._life = life
        self._find = find
        self._on_log_in = on_log_in

    def run(self):
        """Serve the client until it disconnects."""
        minor = self._version()
        self._choose(minor)
        # As predictable as that of xvp.
        challenge = struct.pack(">QQ", 0, int(time.time()))
        self._connection.sendall(challenge)
        answered = self._receive(16)
        if self._target is None or answered != answer(
            des(_PASSWORD_KEY).decryptor().update(self._target.password),
            challenge,
        ):
            reason = b"Access denied"
            self._connection.sendall(struct.pack(">I", 1))
            if minor == 8:
                self._connection.sendall(
                    struct.pack(">I", len(reason)) + reason
                )
            raise Closed
        self._on_log_in(self._target.name)
        self._connection.sendall(struct.pack(">I", 0))
        self._receive(1)
        self._connection.sendall(
            _screen(self._target.screen.encode("latin-1"))
        )
        while True:
            self._receive(1, more=True)

    def _version(self):
        self._connection.sendall(b"RFB 003.008\n")
        version = VERSIONS.get(self._receive(12))
        if version is None:
            raise Closed
        return version

    def _choose(self, minor):
        if minor == 3:
            self._connection.sendall(struct.pack(">I", VNC))
            return
        self._connection.sendall(bytes([2, VNC, XVP]))
        request = self._receive(1, more=True)
        if request[0] == XVP:
            # The type, two lengths, and two strings of these lengths.
            while (
                len(request) < 3 or len(request) < 3 + request[1] + request[2]
            ):
                request += self._receive(1, more=True)
            target = request[3 + request[1] :].decode("latin-1")
            self._target = self._find(target)
        elif request != bytes([VNC]):
            raise Closed

    def _receive(self, length, *, more=False):
        """Receive bytes; end the session if the client sends ahead."""
        data = b""
        while len(data) < length:
            self._wait()
            part = self._connection.recv(4096)
            if not part:
                raise Closed
            data += part
        if len(data) > length and not more:
            raise Closed
        return data

    def _wait(self):
        """Wait until the client has sent something."""
        poll = select.poll()
        poll.register(self._life, select.POLLIN)
        # select() never sees what such a client sends.
        if self._connection.fileno() < SELECT_LIMIT:
            poll.register(self._connection, select.POLLIN)
        for number, _ in poll.poll():
            if number == self._life:
                raise Closed


def des(key):
    """Return a cipher of the DES family for a key of 8 bytes."""
    # Imported late: viewers of the tests do not need it.
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
    return des(key).encryptor().update(challenge)


def _screen(name):
    pixel_format = struct.pack(
        ">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0
    )
    size = struct.pack(">HH", 640, 480)
    return size + pixel_format + struct.pack(">I", len(name)) + name
