# SPDX-License-Identifier: Apache-2.0
"""The programs that forward sessions: the gateway, socat and websockify."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from benchmarks import forwarding, programs, stage, websocket_ends
from benchmarks.websocket_viewer import Viewer
from console_api.tests import certificates

_ADDRESS = websocket_ends.ADDRESS
_START_TIMEOUT = 30.0

# An administrator for noauth2.
_TOKEN = f"admin:{stage.PROJECT_ID}"

# Nothing but the speed limits the sessions of this benchmark.
_OPTIONS = """\
[api]
auth_strategy = noauth2
[tokens]
single_use = true
ttl = 3600
[sessions]
max_per_token = 0
max_per_user = 0
max_per_server = 0
max_per_project = 0
[remote_consoles]
serial_base_url = ws://{address}:{port}/
[gateway]
listen_addresses = {address}
port = {port}
monitoring_port = {monitoring_port}
{tls}
[gateway_api]
auth_type = admin_token
endpoint = http://127.0.0.1:{api_port}/v2.1
token = {token}
"""


class Forwarder:
    """A program that listens on a port and connects to the display.

    It runs inside a ``with`` block.
    """

    #: As tables show it.
    name: str
    #: Whether one process serves all sessions.
    is_one_process = False
    #: Whether only its opening of sessions is measured.
    only_opens = False
    #: How viewers connect to it: see ``websocket_viewer.connect``.
    kind = "ws"

    def __init__(self, display_port: int) -> None:
        """Keep the port of the display."""
        self.display_port = display_port
        self.port = programs.free_port()
        self._stack = ExitStack()
        self._process: psutil.Process | None = None

    @property
    def where(self) -> Sequence[str]:
        """How viewers connect."""
        return (self.kind, _ADDRESS, str(self.port))

    def paths(self, count: int) -> list[str]:
        """Return the path of each of a number of sessions."""
        return ["/"] * count

    def command(self) -> list[str]:
        """Return the command that runs it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        with self._stack:
            process = self._stack.enter_context(
                subprocess.Popen(
                    self.command(),
                    env=programs.environment(forwarding.VARIABLES),
                    stdout=subprocess.DEVNULL,
                    # Each viewer that disconnects is an error to some.
                    stderr=subprocess.DEVNULL,
                )
            )
            self._stack.callback(process.terminate)
            self._process = psutil.Process(process.pid)
            _wait_for(self.port)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._stack.close()

    def _processes(self) -> Iterator[psutil.Process]:
        if self._process is not None:
            yield self._process
            yield from self._process.children(recursive=True)

    def cpu_seconds(self) -> float:
        """Return the CPU time of its processes, to the nanosecond.

        Times in clock ticks leave out most of what short turns take.
        """
        return sum(
            int(task.read_text().split()[0]) / 1e9
            for process in self._processes()
            for task in Path(f"/proc/{process.pid}/task").glob("*/schedstat")
        )

    def resident(self) -> int:
        """Return the memory of its processes that they do not share, KiB."""
        return sum(
            process.memory_full_info().uss // 1024
            for process in self._processes()
        )


class Socat(Forwarder):
    """socat: TCP to TCP, a process per connection."""

    name = "socat -b 65536"
    kind = "tcp"

    def command(self) -> list[str]:
        """Return the command that runs it."""
        return [
            *("socat", "-b", "65536"),
            f"TCP-LISTEN:{self.port},bind={_ADDRESS},reuseaddr,fork,"
            "backlog=1024",
            f"TCP:{_ADDRESS}:{self.display_port}",
        ]


class Websockify(Forwarder):
    """websockify: a process per connection; no tokens are looked up."""

    name = "websockify"

    def command(self) -> list[str]:
        """Return the command that runs it."""
        return [
            str(Path(sys.executable).with_name("websockify")),
            f"{_ADDRESS}:{self.port}",
            f"{_ADDRESS}:{self.display_port}",
        ]


class WebsockifyWithTokens(Forwarder):
    """websockify that looks up each token at an API, as the gateway does."""

    name = "websockify, tokens"
    only_opens = True

    def __init__(self, gateway: "Gateway") -> None:
        """Use the API of a gateway, which has to run."""
        super().__init__(gateway.display_port)
        self._gateway = gateway

    def paths(self, count: int) -> list[str]:
        """Issue a token for each session."""
        return self._gateway.paths(count)

    def command(self) -> list[str]:
        """Return the command that runs it."""
        return [
            str(Path(sys.executable).with_name("websockify")),
            *("--token-plugin", "benchmarks.token_lookup.TokenLookup"),
            *("--token-source", f"{self._gateway.api_port} {_TOKEN}"),
            f"{_ADDRESS}:{self.port}",
        ]


class Gateway(Forwarder):
    """One worker of the gateway, with the API; each session has a token."""

    name = "console-api-gateway"
    is_one_process = True

    def __init__(
        self, data: stage.Stage, display_port: int, *, tls: bool = False
    ) -> None:
        """Configure both."""
        super().__init__(display_port)
        self._data = data
        #: The port of the API, on the loopback address.
        self.api_port = programs.free_port()
        self._ca_file: Path | None = None
        lines = ""
        if tls:
            folder = data.folder / "gateway-tls"
            folder.mkdir(exist_ok=True)
            authority = certificates.make(folder, name=_ADDRESS)
            self._ca_file = authority.ca_file
            lines = (
                f"tls_cert_file = {authority.certificate_file}\n"
                f"tls_key_file = {authority.key_file}"
            )
        options = _OPTIONS.format(
            address=_ADDRESS,
            port=self.port,
            monitoring_port=programs.free_port(),
            api_port=self.api_port,
            tls=lines,
            token=_TOKEN,
        )
        folder = data.folder / "console_api.conf.d"
        folder.mkdir(exist_ok=True)
        (folder / "gateway.conf").write_text(options)
        data.set_screens(_ADDRESS, display_port, "serial")

    @property
    def where(self) -> Sequence[str]:
        """How viewers connect."""
        ca_file = () if self._ca_file is None else (str(self._ca_file),)
        return (*super().where, *ca_file)

    def command(self) -> list[str]:
        """Return the command that runs it."""
        program = Path(sys.executable).with_name("console-api-gateway")
        return [str(program), "--config-dir", str(self._data.folder)]

    def __enter__(self) -> Self:
        """Start the API, then the gateway."""
        self._stack.enter_context(
            programs.GunicornServer(
                "console_api.wsgi:application",
                python=Path(sys.executable),
                folder=self._data.folder,
                port=self.api_port,
                variables={
                    "OS_CONSOLE_API_CONFIG_DIR": str(self._data.folder),
                    "PYTHONPATH": str(stage.ROOT),
                },
            )
        )
        return super().__enter__()

    def paths(self, count: int) -> list[str]:
        """Issue a token for each session."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port)
        issued = [self._issue(connection) for _ in range(count)]
        connection.close()
        return [f"/?token={token}" for token in issued]

    def _issue(self, connection: http.client.HTTPConnection) -> str:
        server_id = stage.server_id(0)
        connection.request(
            "POST",
            f"/v2.1/servers/{server_id}/remote-consoles",
            json.dumps(
                {"remote_console": {"protocol": "serial", "type": "serial"}}
            ),
            {
                "Content-Type": "application/json",
                "OpenStack-API-Version": "compute 2.6",
                "X-Auth-Token": _TOKEN,
            },
        )
        response = connection.getresponse()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            raise programs.ProgramFailed(body.decode(errors="replace"))
        url: str = json.loads(body)["remote_console"]["url"]
        return url.rpartition("token=")[2]


def all_of(data: stage.Stage, display_port: int) -> Sequence[Forwarder]:
    """Return the programs to compare, the gateway first."""
    gateway = Gateway(data, display_port)
    return (
        gateway,
        Socat(display_port),
        Websockify(display_port),
        WebsockifyWithTokens(gateway),
    )


def _wait_for(port: int) -> None:
    until = time.monotonic() + _START_TIMEOUT
    while True:
        try:
            Viewer((_ADDRESS, port)).close()
        except OSError as error:
            if time.monotonic() > until:
                message = f"No program listens on port {port}."
                raise programs.ProgramFailed(message) from error
            time.sleep(0.05)
        else:
            return
