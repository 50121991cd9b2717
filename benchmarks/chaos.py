# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.chaos``: kill programs and check consistency.

Consoles are created and deleted over HTTP while the agent, a worker of the
API and the database are killed in turn with SIGKILL.  In the end, the agent
must listen on exactly the ports of the consoles in the database, and the
counter of the console host must be their number.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from benchmarks import console_agent, machine, programs, stage, wsgi_servers
from benchmarks.mariadb import MariaDB
from benchmarks.operations import OPERATIONS
from console_api.db import tables
from console_api.tests.functional.agents import NotReady

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVERS = 400
_PORTS = (11_000, 11_499)
_CLIENTS = 4
_WORKERS = 2

# Minimum and maximum seconds between two kills.
_KILL_INTERVAL = (1.0, 5.0)
# Seconds within which ports and consoles have to match in the end, and for
# which they have to stay so.
_MATCH_TIMEOUT = 60.0
_STEADY_SECONDS = 3.0

_HEADERS = dict(OPERATIONS["create"].headers)


def main() -> None:
    """Run the test; exit with 1 if something does not match in the end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument(
        "--seconds",
        type=int,
        default=300,
        help="duration of the test (default: 300)",
    )
    seconds = parser.parse_args().seconds
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="chaos_")
            )
            is_consistent = _Chaos(stack, Path(folder)).run(seconds)
    except (programs.BenchmarkError, NotReady) as error:
        sys.exit(f"benchmarks.chaos: {error}")
    except KeyboardInterrupt:
        sys.exit("benchmarks.chaos: interrupted; everything is cleaned up.")
    sys.exit(0 if is_consistent else 1)


class _Chaos:
    """The programs that are killed, and the clients that go on."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._database = stack.enter_context(MariaDB(folder / "mariadb"))
        self._database.execute("CREATE DATABASE chaos")
        self._data = stack.enter_context(
            stage.open_stage(
                folder / "own", self._database.url("chaos"), _SERVERS
            )
        )
        self._data.set_host(ports=_PORTS)
        # Its connections would not survive the database.
        self._data.close()
        console_agent.configure(self._data, _PORTS)
        self._api = stack.enter_context(
            wsgi_servers.console_api_server(
                self._data, programs.free_port(), workers=_WORKERS
            )
        )
        self._agent = console_agent.start(self._data)
        stack.callback(self._stop_agent)
        self._kills: Counter[str] = Counter()

    def _stop_agent(self) -> None:
        # By then, another one may be running.
        self._agent.kill()

    def run(self, seconds: int) -> bool:
        """Kill programs for some seconds; return whether all matches then."""
        clients = [
            _Client(self._api.address, range(number, _SERVERS, _CLIENTS))
            for number in range(_CLIENTS)
        ]
        for client in clients:
            client.start()
        try:
            self._kill_in_turn(time.monotonic() + seconds)
        finally:
            for client in clients:
                client.stop()
        print(f"Load average: {os.getloadavg()[0]:.1f}")
        _print("Kills", self._kills)
        _print("Responses", sum((one.responses for one in clients), Counter()))
        return self._compare()

    def _kill_in_turn(self, until: float) -> None:
        turns: dict[str, Callable[[], None]] = {
            "agent": self._kill_agent,
            "API worker": self._kill_worker,
            "database": self._kill_database,
        }
        for name, kill in itertools.cycle(turns.items()):
            time.sleep(random.uniform(*_KILL_INTERVAL))
            if time.monotonic() > until:
                return
            kill()
            self._kills[name] += 1

    def _kill_agent(self) -> None:
        self._agent.kill()
        self._agent = console_agent.start(self._data)

    def _kill_worker(self) -> None:
        # Gunicorn starts a replacement.
        os.kill(random.choice(machine.workers(self._api.pid)), signal.SIGKILL)

    def _kill_database(self) -> None:
        self._database.kill()
        # Long enough for all programs to notice.
        time.sleep(1)
        self._database.start()

    def _compare(self) -> bool:
        """Wait until ports and consoles match; return whether they do."""
        began = time.monotonic()
        matched_at = None
        while time.monotonic() - began < _MATCH_TIMEOUT:
            time.sleep(0.1)
            listening, expected, counted = self._state()
            if listening != expected or counted != len(expected):
                matched_at = None
            elif matched_at is None:
                matched_at = time.monotonic()
            elif time.monotonic() - matched_at > _STEADY_SECONDS:
                break
        print(
            f"Consoles in the database: {len(expected)}; counter of the "
            f"console host: {counted}; listening ports: {len(listening)}; "
            f"ports without a console: {sorted(listening - expected)}; "
            f"consoles without a port: {sorted(expected - listening)}."
        )
        if matched_at is None:
            print(f"Not consistent within {_MATCH_TIMEOUT:.0f} seconds.")
            return False
        print(f"Consistent after {matched_at - began:.1f} seconds.")
        return True

    def _state(self) -> tuple[set[int], set[int], int]:
        listening = console_agent.listening_ports(self._agent.pid)
        with self._data.transaction() as connection:
            ports = connection.execute(sa.select(tables.consoles.c.port))
            expected = set(ports.scalars())
            count = sa.select(tables.console_hosts.c.console_count)
            counted = int(connection.execute(count).scalar_one())
        return listening, expected, counted


class _Client(threading.Thread):
    """Creates and deletes consoles of some servers, one at a time."""

    def __init__(self, address: tuple[str, int], servers: range) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._servers = servers
        self._stopping = threading.Event()
        #: The number of responses by method and status.
        self.responses: Counter[str] = Counter()

    def run(self) -> None:
        """Send requests until stopped."""
        while not self._stopping.is_set():
            server = stage.server_id(random.choice(self._servers))
            path = f"/v2.1/servers/{server}/consoles"
            status, body = self._send("GET", path)
            if status != http.client.OK:
                continue
            consoles = json.loads(body)["consoles"]
            if consoles:
                number = consoles[0]["console"]["id"]
                self._send("DELETE", f"{path}/{number}")
            else:
                self._send("POST", path)

    def stop(self) -> None:
        """Wait for the current request, and send no more."""
        self._stopping.set()
        self.join()

    def _send(self, method: str, path: str) -> tuple[int, bytes]:
        """Return status and body; the status is 0 without a response."""
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        try:
            connection.request(method, path, headers=_HEADERS)
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, http.client.HTTPException):
            # The worker has been killed.
            status, body = 0, b""
            # Back off in case it was the only one.
            time.sleep(0.05)
        finally:
            connection.close()
        self.responses[f"{method} {status or 'no response'}"] += 1
        return status, body


def _print(title: str, counts: Counter[str]) -> None:
    found = ", ".join(f"{counts[name]} {name}" for name in sorted(counts))
    print(f"{title}: {found}")


if __name__ == "__main__":
    main()
