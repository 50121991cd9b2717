# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.chaos``: does all end well, whatever is killed?

Consoles are created and deleted over HTTP while the agent, a worker of the
API and the database are killed in turn, as ``kill -9`` does.  At the end the
listening ports of the agent must be exactly the consoles of the database, and
the counter of the console host their number.
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
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks import console_agent, machine, programs, stage
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

# Seconds between two kills, at least and at most; and how long it may take
# until all is well again at the end, and for how long it has to stay so.
_PAUSE = (1.0, 5.0)
_SETTLE = 60.0
_STEADY = 3.0

_HEADERS = dict(OPERATIONS["create"].headers)


def main() -> None:
    """Run it; exits 1 when something does not match at the end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--seconds", type=int, default=300)
    seconds = parser.parse_args().seconds
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="chaos_")
            )
            ends_well = _Chaos(stack, Path(folder)).run(seconds)
    except (programs.BenchmarkError, NotReady) as error:
        sys.exit(f"benchmarks.chaos: {error}")
    except KeyboardInterrupt:
        sys.exit("benchmarks.chaos: interrupted; nothing is left behind.")
    sys.exit(0 if ends_well else 1)


class _Chaos:
    """The programs that are killed, and the clients that do not care."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._database = stack.enter_context(MariaDB(folder / "mariadb"))
        self._database.execute("CREATE DATABASE chaos")
        self._data = stack.enter_context(
            stage.open_stage(
                folder / "own", self._database.url("chaos"), _SERVERS
            )
        )
        self._data.set_host(ports=_PORTS)
        # Its connections will not outlive the database.
        self._data.close()
        console_agent.configure(self._data, _PORTS)
        self._api = stack.enter_context(
            stage.console_api_server(
                self._data, programs.free_port(), workers=_WORKERS
            )
        )
        self._agent = console_agent.start(self._data)
        stack.callback(self._stop_agent)
        self._kills: Counter[str] = Counter()

    def _stop_agent(self) -> None:
        # The one that is running by then.
        self._agent.kill()

    def run(self, seconds: int) -> bool:
        """Make trouble for some seconds; tells whether all ends well."""
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
        print(f"Load of the machine: {os.getloadavg()[0]:.1f}")
        _print("Kills", self._kills)
        _print("Answers", sum((one.answers for one in clients), Counter()))
        return self._compare()

    def _kill_in_turn(self, until: float) -> None:
        turns: dict[str, Callable[[], None]] = {
            "agent": self._kill_agent,
            "API worker": self._kill_worker,
            "database": self._kill_database,
        }
        for name, kill in itertools.cycle(turns.items()):
            time.sleep(random.uniform(*_PAUSE))
            if time.monotonic() > until:
                return
            kill()
            self._kills[name] += 1

    def _kill_agent(self) -> None:
        self._agent.kill()
        self._agent = console_agent.start(self._data)

    def _kill_worker(self) -> None:
        # Gunicorn starts another one.
        os.kill(random.choice(machine.workers(self._api.pid)), signal.SIGKILL)

    def _kill_database(self) -> None:
        self._database.kill()
        # Long enough for everybody to notice.
        time.sleep(1)
        self._database.start()

    def _compare(self) -> bool:
        """Wait until ports and consoles match, and stay so."""
        began = time.monotonic()
        matched_at = None
        while time.monotonic() - began < _SETTLE:
            time.sleep(0.1)
            listening, wanted, counted = self._found()
            if listening != wanted or counted != len(wanted):
                matched_at = None
            elif matched_at is None:
                matched_at = time.monotonic()
            elif time.monotonic() - matched_at > _STEADY:
                break
        print(
            f"Consoles in the database: {len(wanted)}; counted by the "
            f"console host: {counted}; listening ports: {len(listening)}; "
            f"ports without a console: {sorted(listening - wanted)}; "
            f"consoles without a port: {sorted(wanted - listening)}."
        )
        if matched_at is None:
            print(f"No match within {_SETTLE:.0f} seconds.")
            return False
        print(f"They matched after {matched_at - began:.1f} seconds.")
        return True

    def _found(self) -> tuple[set[int], set[int], int]:
        listening = console_agent.listening_ports(self._agent.process)
        with self._data.transaction() as connection:
            ports = connection.execute(sa.select(tables.consoles.c.port))
            wanted = set(ports.scalars())
            count = sa.select(tables.console_hosts.c.console_count)
            counted = int(connection.execute(count).scalar_one())
        return listening, wanted, counted


class _Client(threading.Thread):
    """Creates and deletes the consoles of some servers, one at a time."""

    def __init__(self, address: tuple[str, int], servers: range) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._servers = servers
        self._stopping = threading.Event()
        #: How often each request got each answer.
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        """Go on until stopped."""
        while not self._stopping.is_set():
            server = stage.server_id(random.choice(self._servers))
            path = f"/v2.1/servers/{server}/consoles"
            status, found = self._ask("GET", path)
            if status != http.client.OK:
                continue
            consoles = json.loads(found)["consoles"]
            if consoles:
                number = consoles[0]["console"]["id"]
                self._ask("DELETE", f"{path}/{number}")
            else:
                self._ask("POST", path)

    def stop(self) -> None:
        """Let the request that is being made be the last."""
        self._stopping.set()
        self.join()

    def _ask(self, method: str, path: str) -> tuple[int, bytes]:
        """Ask; 0 when there is no answer."""
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        try:
            connection.request(method, path, headers=_HEADERS)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            # Its worker has been killed.
            status, body = 0, b""
            # Not at once again, should it be the only one.
            time.sleep(0.05)
        finally:
            connection.close()
        self.answers[f"{method} {status or 'no answer'}"] += 1
        return status, body


def _print(title: str, counts: Counter[Any]) -> None:
    found = ", ".join(f"{counts[name]} {name}" for name in sorted(counts))
    print(f"{title}: {found}")


if __name__ == "__main__":
    main()
