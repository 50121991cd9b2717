# SPDX-License-Identifier: Apache-2.0
"""``console-api-quickstart``: the whole service in one command.

All files are in one folder: the configuration, the keys, an SQLite database
with a sample server, and the log.  The API, the gateway, the consoles and the
displays of the sample server listen on the loopback address only, because
callers are not authenticated.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from oslo_config import cfg

from console_api import conf as configuration
from console_api import errors
from console_api.agent import drivers
from console_api.cmd import arguments
from console_api.cmd.explain import explain
from console_api.cmd.quickstart import examples, requests, sample_server, state
from console_api.cmd.quickstart.state import HOST
from console_api.db import console_hosts
from console_api.db.engine import Database

DEFAULT_PORT = 9890
DEFAULT_GATEWAY_PORT = 6080

# Seconds to wait for all programs to start, and for one to stop.
_START_TIMEOUT = 30
_STOP_TIMEOUT = 10


def main() -> None:
    """Run the quickstart until Ctrl-C; exit 1 with a message on failure."""
    parsed_args = _parse_arguments()
    state_dir = parsed_args.state_dir.expanduser().absolute()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    # Database and log are in a folder that others may be able to read.
    os.umask(0o077)
    try:
        with (
            state.claimed(state_dir),
            _listen(parsed_args.port) as listener,
        ):
            # It listens itself, once the API is ready.
            _listen(parsed_args.gateway_port, "--gateway-port").close()
            conf = state.prepare(
                state_dir, listener.getsockname()[1], parsed_args.gateway_port
            )
            with sample_server.running(HOST) as displays:
                _serve(conf, listener, state_dir, displays)
    except KeyboardInterrupt:
        sys.exit(0)
    except (errors.ConsoleAPIError, OSError) as error:
        sys.exit(f"console-api-quickstart: {explain(error)}")


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="console-api-quickstart",
        description="Run the console API, a console host and a gateway for "
        "browsers on this machine for evaluation: without authentication, on "
        "SQLite, with a sample server.",
    )
    parser.add_argument(
        "--port",
        type=arguments.argument(arguments.port),
        default=DEFAULT_PORT,
        help="The TCP port of the API on 127.0.0.1. (default: %(default)s)",
    )
    parser.add_argument(
        "--gateway-port",
        type=arguments.argument(arguments.port),
        default=DEFAULT_GATEWAY_PORT,
        help="The TCP port of the gateway on 127.0.0.1. (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=Path("state"),
        metavar="DIR",
        help="The folder of all files. (default: ./%(default)s)",
    )
    return parser.parse_args()


def _listen(port: int, option: str = "--port") -> socket.socket:
    try:
        return socket.create_server((HOST, port), backlog=128)
    except OSError as error:
        raise errors.ConfigurationError(
            f"Cannot listen on port {port} of {HOST}: {error.strerror}. "
            f"Choose another one with {option}."
        ) from error


def _serve(
    conf: cfg.ConfigOpts,
    listener: socket.socket,
    state_dir: Path,
    displays: Mapping[str, int],
) -> None:
    """Run the API, the agent and the gateway until one of them stops.

    :param listener: the listening socket of the API
    :param displays: the ports of the sample server by protocol
    :raises ConfigurationError: one of them does not start, or stopped
    """
    port = listener.getsockname()[1]
    database = Database(conf)
    started_at = int(time.time())
    try:
        state.register_sample_server(database, displays)
        state.write_clouds(state_dir, port)
        with (
            _program(
                state_dir, *_api(listener), pass_fds=[listener.fileno()]
            ) as api,
            _program(state_dir, _script("console-api-agent")) as agent,
            _program(state_dir, _script("console-api-gateway")) as gateway,
        ):
            _wait_for(
                lambda: (
                    requests.succeeds(port, "/healthcheck")
                    and requests.succeeds(conf.gateway.port, "/health")
                    and _is_up(conf, database, started_at)
                ),
                (api, agent, gateway),
                state_dir,
            )
            print(examples.text(port, state_dir), flush=True)
            # Until one of them stops; Ctrl-C interrupts this.
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            raise _failure("stopped", state_dir)
    finally:
        database.close()


def _api(listener: socket.socket) -> list[str]:
    return [
        sys.executable,
        *("-m", "gunicorn"),
        *("--bind", f"fd://{listener.fileno()}"),
        *("--workers", "1", "--threads", "8"),
        *("--log-level", "warning"),
        "--no-control-socket",
        "console_api.wsgi:application",
    ]


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


Process = subprocess.Popen[bytes]


@contextlib.contextmanager
def _program(
    state_dir: Path, *command: str, pass_fds: Sequence[int] = ()
) -> Iterator[Process]:
    """Run a program until the end of the block."""
    # If this process is killed, the kernel terminates the program.
    setpriv = shutil.which("setpriv")
    prefix = (setpriv, "--pdeathsig", "TERM") if setpriv else ()
    process = subprocess.Popen(  # noqa: S603 (our own arguments)
        [*prefix, *command],
        env={**os.environ, configuration.ENVIRONMENT: str(state_dir)},
        pass_fds=pass_fds,
        # Ctrl-C reaches only this process, which then stops the others.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(
    is_ready: Callable[[], bool], processes: Sequence[Process], state_dir: Path
) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline and _all_running(processes):
        if is_ready():
            return
        time.sleep(0.05)
    raise _failure("did not start", state_dir)


def _all_running(processes: Sequence[Process]) -> bool:
    return all(process.poll() is None for process in processes)


def _failure(what: str, state_dir: Path) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"The API, the agent or the gateway {what}. See the messages above, "
        f"or {state_dir / 'console_api.log'}."
    )


def _is_up(conf: cfg.ConfigOpts, database: Database, started_at: int) -> bool:
    """Return whether the agent has registered its console host."""
    console_type = drivers.find(conf.agent.driver).console_type
    host = console_hosts.get(database, conf.agent.host, console_type)
    return host is not None and (host.last_seen_at or 0) >= started_at
