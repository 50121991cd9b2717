# SPDX-License-Identifier: Apache-2.0
"""The two ends of VNC sessions, each a process: a screen and viewers.

After the handshake they only move bytes, so that what is between them is
measured.  The screen requires a password and accepts any: viewers behave the
same whether they connect to the screen or to an agent.
"""

import json
import resource
import socket
import ssl
import struct
import sys
import threading
import time

from console_api.tests.functional.rfb_client import RFBClient

#: An address that no other program uses.
ADDRESS = "127.0.0.2"

_WIDTH, _HEIGHT = 640, 480
_PIXEL_FORMAT = struct.pack(
    ">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0
)
_NAME = b"benchmark"
# An update with one rectangle of the whole screen, and the request for it.
_UPDATE = struct.pack(">BxHHHHHi", 0, 1, 0, 0, _WIDTH, _HEIGHT, 0) + bytes(
    _WIDTH * _HEIGHT * 4
)
_REQUEST = struct.pack(">BBHHHH", 3, 1, 0, 0, _WIDTH, _HEIGHT)
_TIMEOUT = 30.0


def serve_screen(port: int) -> None:
    """Serve screens: a viewer that requests an update receives endlessly."""
    with socket.create_server((ADDRESS, port), backlog=1000) as listener:
        print("ready", flush=True)
        while True:
            connected, _ = listener.accept()
            threading.Thread(
                target=_serve, args=(connected,), daemon=True
            ).start()


def _serve(connected: socket.socket) -> None:
    with connected:
        try:
            _shake_hands(connected)
            _read(connected, len(_REQUEST))
            while True:
                connected.sendall(_UPDATE)
        except OSError:
            # The viewer has disconnected.
            return


def _shake_hands(connected: socket.socket) -> None:
    connected.sendall(b"RFB 003.008\n")
    _read(connected, 12)
    connected.sendall(b"\1\2")
    _read(connected, 1)
    connected.sendall(bytes(16))
    _read(connected, 16)
    connected.sendall(bytes(4))
    _read(connected, 1)
    server_init = struct.pack(
        ">HH16sI", _WIDTH, _HEIGHT, _PIXEL_FORMAT, len(_NAME)
    )
    connected.sendall(server_init + _NAME)


def _read(connected: socket.socket, count: int) -> None:
    if len(connected.recv(count, socket.MSG_WAITALL)) < count:
        raise ConnectionResetError


def measure(port: int, password: str, seconds: int) -> float:
    """View a screen through a port; return the bytes received per second.

    The first half second is not counted: buffers grow to their final size.
    """
    with _open(port, password) as viewer:
        viewer.send(_REQUEST)
        buffer = bytearray(2**20)
        _receive_for(viewer.socket, buffer, 0.5)
        began = time.perf_counter()
        count = _receive_for(viewer.socket, buffer, seconds)
        return count / (time.perf_counter() - began)


def _receive_for(
    connected: socket.socket, buffer: bytearray, seconds: float
) -> int:
    until = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < until:
        more = connected.recv_into(buffer)
        if not more:
            raise ConnectionResetError("The session ended early.")
        count += more
    return count


def hold(password: str, ports: list[int], ca_file: str | None = None) -> None:
    """Open a session on each port; keep them until end of input.

    :param ca_file: use TLS, and verify the certificate with this authority
    """
    tls = ssl.create_default_context(cafile=ca_file) if ca_file else None
    sessions = [_open(port, password, tls) for port in ports]
    print("ready", flush=True)
    sys.stdin.read()
    for session in sessions:
        session.socket.close()


def _open(
    port: int, password: str, tls: ssl.SSLContext | None = None
) -> RFBClient:
    """Connect as soon as a program listens, and authenticate."""
    until = time.monotonic() + _TIMEOUT
    while True:
        try:
            viewer = RFBClient(port, ADDRESS)
            break
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
    if tls is None:
        result = viewer.authenticate(password)
    else:
        result = viewer.authenticate_with_tls(password, tls, ADDRESS)
    if result:
        raise ConnectionRefusedError(viewer.reason())
    viewer.open()
    return viewer


def main() -> None:
    """Run one end.

    The arguments are screen PORT, view PORT PASSWORD SECONDS, hold PASSWORD
    PORT ..., or hold-tls CA_FILE PASSWORD PORT ...
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    match sys.argv[1:]:
        case ["screen", port]:
            serve_screen(int(port))
        case ["view", port, password, seconds]:
            print(json.dumps(measure(int(port), password, int(seconds))))
        case ["hold", password, *ports]:
            hold(password, [int(port) for port in ports])
        case ["hold-tls", ca_file, password, *ports]:
            hold(password, [int(port) for port in ports], ca_file)


if __name__ == "__main__":
    main()
