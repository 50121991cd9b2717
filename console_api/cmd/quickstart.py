# SPDX-License-Identifier: Apache-2.0
"""``console-api-quickstart``: the API in one command, to try it out.

Everything is in one folder: configuration, keys, an SQLite database with a
sample server and a console host, and the log.  The API listens on the
loopback address alone, since it does not authenticate anyone.
"""

import argparse
import http.client
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import sqlalchemy as sa
from oslo_config import cfg

from console_api import conf as configuration
from console_api import errors
from console_api.consoles import keys
from console_api.db import console_hosts, schema, servers
from console_api.db.engine import Database

HOST = "127.0.0.1"
DEFAULT_PORT = 9890

SERVER_ID = "b7b47a1c-6f4e-4b3c-8c0e-5d2a5a1a0f10"
PROJECT_ID = "demo"

# Seconds to wait for the first answer, and for the end of the WSGI server.
_START_TIMEOUT = 30
_STOP_TIMEOUT = 10

_CONFIGURATION = """\
# Written by console-api-quickstart on its first start; yours to change.

[DEFAULT]
log_file = {log}

[api]
auth_strategy = noauth2

[database]
connection = {database}

[passwords]
key_repository = {keys}
"""

_EXAMPLES = """\
Ready: {url}

The sample server {server} is of project {project}. X-Auth-Token is
USER:PROJECT; the user admin is an administrator, anyone else a member.
Paste these into another terminal:

  # Create a console of the server, list its consoles, show the first one.
  curl -i -X POST -H 'X-Auth-Token: user:{project}' {consoles}
  curl -s -H 'X-Auth-Token: user:{project}' {consoles}
  ID=$(curl -s -H 'X-Auth-Token: user:{project}' {consoles} | \
grep -o '"id": [0-9]*' | grep -o '[0-9]*' | head -n 1)
  curl -s -H 'X-Auth-Token: user:{project}' {consoles}/$ID

  # Delete it.
  curl -i -X DELETE -H 'X-Auth-Token: user:{project}' {consoles}/$ID

  # Create a console auth token and look up what it stands for.
  TOKEN=$(curl -s -X POST -H 'X-Auth-Token: user:{project}' \
-H 'OpenStack-API-Version: compute 2.6' -H 'Content-Type: application/json' \
-d '{{"remote_console": {{"protocol": "vnc", "type": "novnc"}}}}' \
{url}/v2.1/servers/{server}/remote-consoles | \
sed -n 's/.*token%3D\\([^"]*\\)".*/\\1/p')
  curl -s -H 'X-Auth-Token: admin:{project}' \
-H 'OpenStack-API-Version: compute 2.31' \
{url}/v2.1/os-console-auth-tokens/$TOKEN

Configuration, database and log are in {state_dir}
Manage it with: {manage} --config-dir {state_dir} --help
Stop with Ctrl-C.
"""


def main() -> None:
    """Run the quickstart; exits 1 with a sentence if it cannot."""
    arguments = _parse_arguments()
    state_dir = arguments.state_dir.expanduser().absolute()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _listen(arguments.port) as listener:
            _prepare(state_dir)
            status = _serve(listener, state_dir)
    except KeyboardInterrupt:
        status = 0
    except (errors.ConsoleAPIError, OSError) as error:
        sys.exit(f"console-api-quickstart: {error}")
    sys.exit(status)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="console-api-quickstart",
        description="Run the console API on this machine, to try it out: "
        "no authentication, SQLite, a sample server and a console host.",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="the TCP port on 127.0.0.1 (default: %(default)s)",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=Path("state"),
        metavar="DIR",
        help="where everything is kept (default: ./%(default)s)",
    )
    return parser.parse_args()


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a port. Give a number from 1 to 65535."
        )
    return port


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port), backlog=128)
    except OSError as error:
        raise errors.ConfigurationError(
            f"Port {port} of {HOST} cannot be used: {error.strerror}. "
            "Choose another one with --port."
        ) from error


def _prepare(state_dir: Path) -> None:
    """Make what is not there yet; what is there stays as it is."""
    if set("$%") & set(str(state_dir)):
        # oslo.config and Paste take them for references, in any path.
        raise errors.ConfigurationError(
            f"The path {state_dir} has a dollar or percent sign in it. "
            "Choose another one with --state-dir."
        )
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (state_dir / "console_api.conf").exists():
        print(f"Setting up {state_dir}", flush=True)
        _write_configuration(state_dir)
    conf = configuration.load(state_dir)
    keys.setup(Path(conf.passwords.key_repository))
    schema.sync(conf)
    _add_samples(conf)


def _write_configuration(state_dir: Path) -> None:
    shutil.copyfile(_paste_file(), state_dir / "api-paste.ini")
    database = sa.URL.create(
        "sqlite", database=str(state_dir / "console_api.sqlite")
    )
    values = {
        "log": state_dir / "console_api.log",
        "database": database.render_as_string(),
        "keys": state_dir / "keys",
    }
    # Written aside and renamed, so that there is a whole one or none.
    draft = state_dir / "console_api.conf.new"
    draft.write_text(_CONFIGURATION.format(**values))
    draft.rename(state_dir / "console_api.conf")


def _paste_file() -> Path:
    """Find the paste file: in a checkout, or where it was installed."""
    relative = Path("etc", "console_api", "api-paste.ini")
    roots = (
        Path(__file__).parents[2],
        Path(sys.prefix),
        Path(sysconfig.get_path("data")),
    )
    for root in roots:
        if (root / relative).is_file():
            return root / relative
    raise errors.ConfigurationError(
        f"{relative} is not installed. Install console-api again."
    )


def _add_samples(conf: cfg.ConfigOpts) -> None:
    database = Database(conf)
    if servers.list_page(database, "", 1):
        database.close()
        return
    servers.insert(
        database,
        [
            {
                "uuid": SERVER_ID,
                "project_id": PROJECT_ID,
                "name": "sample",
                "instance_name": "instance-00000001",
                "compute_host": "compute-1",
            }
        ],
        [
            {
                "server_uuid": SERVER_ID,
                "protocol": "vnc",
                "host": HOST,
                "port": 5900,
                "tls_port": None,
                "internal_access_path": None,
            }
        ],
    )
    if not console_hosts.list_all(database):
        console_hosts.insert(
            database,
            {
                "host": "console-1",
                "console_type": "vnc",
                "public_hostname": HOST,
                "compute_hosts": "compute-*",
                "min_port": 5901,
                "max_port": 5999,
                "multiplex_port": None,
                "enabled": True,
            },
        )
    database.close()


def _serve(listener: socket.socket, state_dir: Path) -> int:
    process = subprocess.Popen(  # noqa: S603 (our own arguments)
        [
            sys.executable,
            *("-m", "gunicorn"),
            *("--bind", f"fd://{listener.fileno()}"),
            *("--workers", "1", "--threads", "4"),
            *("--log-level", "warning"),
            "--no-control-socket",
            "console_api.wsgi:application",
        ],
        env={**os.environ, configuration.ENVIRONMENT: str(state_dir)},
        pass_fds=[listener.fileno()],
        # Ctrl-C reaches this process alone, which then ends the other.
        start_new_session=True,
    )
    port = listener.getsockname()[1]
    try:
        _wait_for_answer(process, port, state_dir)
        print(_examples(port, state_dir), flush=True)
        return process.wait()
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
        print("Stopped.", flush=True)


def _wait_for_answer(
    process: "subprocess.Popen[bytes]", port: int, state_dir: Path
) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(port):
            return
    raise errors.ConfigurationError(
        "The API does not start. What is wrong is written above, or in "
        f"{state_dir / 'console_api.log'}."
    )


def _answers(port: int) -> bool:
    # The socket listens already: a request waits there for its answer.
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", "/healthcheck")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _examples(port: int, state_dir: Path) -> str:
    url = f"http://{HOST}:{port}"
    return _EXAMPLES.format(
        url=url,
        server=SERVER_ID,
        project=PROJECT_ID,
        consoles=f"{url}/v2.1/servers/{SERVER_ID}/consoles",
        state_dir=shlex.quote(str(state_dir)),
        manage=shlex.quote(
            str(Path(sys.executable).with_name("console-api-manage"))
        ),
    )
