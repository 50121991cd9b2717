# SPDX-License-Identifier: Apache-2.0
"""The two ends of forwarded sessions, each a process: display and viewers.

A display greets, then does what the first byte from the viewer selects.  What
it sends endlessly is coded by position, so that a viewer can verify each byte.
A viewer speaks TCP or WebSocket.

Neither end copies the bytes while a rate is measured: on one machine, copying
ends would take more time than the program between them, and hide its speed.
"""

import array
import json
import os
import resource
import selectors
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.websocket_viewer import Viewer, connect, receive

#: An address that no other program uses.
ADDRESS = "127.0.0.2"

#: What a display sends first.
GREETING = b"RFB 003.008\n"

# What a display does after its greeting.
_FLOOD, _ECHO, _HOLD = b"F", b"E", b"H"

# Position-coded words, repeated endlessly.
_PERIOD = 2**20
_PATTERN = array.array("I", range(_PERIOD)).tobytes()
# So that the slice of a chunk never wraps.
_DOUBLED = 2 * _PATTERN

_MESSAGE = b"0123456789"
_STACK_SIZE = 128 * 1024


def serve(port: int) -> None:
    """Serve displays until the process is killed."""
    threading.stack_size(_STACK_SIZE)
    with socket.create_server((ADDRESS, port), backlog=4000) as listener:
        print("ready", flush=True)
        while True:
            connected, _ = listener.accept()
            threading.Thread(
                target=_serve, args=(connected,), daemon=True
            ).start()


def _serve(connected: socket.socket) -> None:
    with connected:
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.sendall(GREETING)
            kind = connected.recv(1)
            if kind == _FLOOD:
                _flood(connected)
            while kind == _ECHO:
                connected.sendall(receive(connected))
            connected.recv(1)
        except OSError:
            # The viewer has disconnected.
            return


def _flood(connected: socket.socket) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(_PATTERN)
        file.flush()
        while True:
            at = 0
            while at < len(_PATTERN):
                at += os.sendfile(
                    connected.fileno(), file.fileno(), at, len(_PATTERN) - at
                )


def _start_flood(where: Sequence[str], path: str) -> Viewer:
    viewer = connect(where, path)
    if viewer.read(len(GREETING)) != GREETING:
        raise ValueError("The greeting is wrong.")
    viewer.send(_FLOOD)
    return viewer


def verify(where: Sequence[str], path: str, count: int) -> int:
    """Receive a number of bytes and check each of them."""
    viewer = _start_flood(where, path)
    position = 0
    while position < count:
        for data in viewer.receive():
            at = position % len(_PATTERN)
            if bytes(data) != _DOUBLED[at : at + len(data)]:
                raise ValueError(f"Wrong bytes after {position}.")
            position += len(data)
    viewer.close()
    return position


def measure(where: Sequence[str], paths: Sequence[str], seconds: int) -> float:
    """Receive from a session per path; return the bytes per second.

    The first half second is not counted: buffers grow to their final size.
    """
    viewers = [_start_flood(where, path) for path in paths]
    with selectors.DefaultSelector() as selector:
        for viewer in viewers:
            selector.register(viewer.socket, selectors.EVENT_READ, viewer)
        _receive_for(selector, 0.5)
        print("measuring", flush=True)
        began = time.perf_counter()
        count = _receive_for(selector, seconds)
        rate = count / (time.perf_counter() - began)
        print("measured", flush=True)
        # The programs are looked at before the sessions end.
        sys.stdin.readline()
    return rate


def _receive_for(selector: selectors.BaseSelector, seconds: float) -> int:
    until = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < until:
        for key, _ in selector.select(1):
            count += key.data.discard()
    return count


def echo(where: Sequence[str], paths: Sequence[str], rounds: int) -> float:
    """Exchange short messages in all sessions; return seconds each."""
    viewers = [connect(where, path) for path in paths]
    for viewer in viewers:
        viewer.read(len(GREETING))
        viewer.send(_ECHO)
    print("measuring", flush=True)
    began = time.perf_counter()
    for _ in range(rounds):
        for viewer in viewers:
            viewer.send(_MESSAGE)
        for viewer in viewers:
            if viewer.read(len(_MESSAGE)) != _MESSAGE:
                raise ValueError("The echo is wrong.")
    spent = (time.perf_counter() - began) / rounds / len(viewers)
    print("measured", flush=True)
    sys.stdin.readline()
    return spent


def open_all(
    where: Sequence[str], paths: Sequence[str], concurrency: int
) -> dict[str, object]:
    """Open a session per path, wait for its greeting, and close it.

    :returns: sessions per second, and seconds until each greeting
    """
    waiting = deque(paths)
    times: list[float] = []

    def work() -> None:
        while waiting:
            try:
                path = waiting.popleft()
            except IndexError:
                return
            began = time.perf_counter()
            viewer = connect(where, path)
            if viewer.read(len(GREETING)) != GREETING:
                raise ValueError("The greeting is wrong.")
            times.append(time.perf_counter() - began)
            viewer.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as executor:
        for done in [executor.submit(work) for _ in range(concurrency)]:
            done.result()
    return {
        "rate": len(paths) / (time.perf_counter() - began),
        "seconds": times,
    }


def hold(where: Sequence[str], paths: Sequence[str]) -> None:
    """Open a session per path; keep them until end of input."""
    viewers = []
    for path in paths:
        viewer = connect(where, path)
        viewer.read(len(GREETING))
        viewer.send(_HOLD)
        viewers.append(viewer)
    print("ready", flush=True)
    sys.stdin.read()


def main() -> None:
    """Run one end.

    The arguments are display PORT, or the name of a measurement, a number, a
    file with a path per session, and how to connect (see
    ``websocket_viewer.connect``).
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if sys.argv[1] == "display":
        serve(int(sys.argv[2]))
    name, number, file, *where = sys.argv[1:]
    paths = Path(file).read_text().splitlines()
    result: object = None
    match name:
        case "verify":
            result = verify(where, paths[0], int(number))
        case "measure":
            result = measure(where, paths, int(number))
        case "echo":
            result = echo(where, paths, int(number))
        case "open":
            result = open_all(where, paths, int(number))
        case "hold":
            hold(where, paths)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
