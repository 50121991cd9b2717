# SPDX-License-Identifier: Apache-2.0
"""The folder of the quickstart, and what it creates at the first start."""

import contextlib
import fcntl
import shutil
import socket
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path

from oslo_config import cfg

from console_api import conf as configuration
from console_api import errors
from console_api.db import schema, servers
from console_api.db.engine import Database
from console_api.db.servers import Endpoint, Server
from console_api.db.url import sqlite_url
from console_api.keys import repository

HOST = "127.0.0.1"

SERVER_ID = "b7b47a1c-6f4e-4b3c-8c0e-5d2a5a1a0f10"
PROJECT_ID = "demo"

#: The name of the file with the clouds.
CLOUDS_FILE = "clouds.yaml"

_CONFIGURATION = """\
# Written by console-api-quickstart at its first start. You may change it.

[DEFAULT]
log_file = {log}

[api]
auth_strategy = noauth2

[database]
connection = {database}

[passwords]
key_repository = {keys}
"""

_AGENT = f"""
[agent]
host = console-1
public_hostname = {HOST}

[vnc]
listen_address = {HOST}

[tokens]
single_use = true
"""

_PORTS = f"""\
# Written by console-api-quickstart at every start: your changes are lost.

[remote_consoles]
novnc_base_url = http://{HOST}:{{gateway}}/vnc_auto.html
serial_base_url = http://{HOST}:{{gateway}}/serial.html

[gateway]
listen_addresses = {HOST}
port = {{gateway}}
monitoring_port = {{monitoring}}
grace_time = 0

[gateway_api]
auth_type = admin_token
endpoint = http://{HOST}:{{api}}/v2.1
token = admin:{PROJECT_ID}
"""

_CLOUDS = f"""\
# Written by console-api-quickstart at every start: your changes are lost.
clouds:
  quickstart:
    auth_type: admin_token
    auth:
      endpoint: {{endpoint}}
      token: user:{PROJECT_ID}
  quickstart-admin:
    auth_type: admin_token
    auth:
      endpoint: {{endpoint}}
      token: admin:{PROJECT_ID}
"""


@contextlib.contextmanager
def claimed(state_dir: Path) -> Iterator[None]:
    """Create the folder, and keep others from using it until the end.

    :raises ConfigurationError: the path is invalid, or another quickstart
        uses the folder
    """
    if set("$%") & set(str(state_dir)):
        # oslo.config and Paste substitute variables in paths.
        raise errors.ConfigurationError(
            f"The path {state_dir} contains a dollar or percent sign. Choose "
            "another one with --state-dir."
        )
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state_dir / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise errors.ConfigurationError(
                f"Another quickstart uses {state_dir}. Stop it, or choose "
                "another folder with --state-dir."
            ) from error
        yield


def prepare(
    state_dir: Path, api_port: int, gateway_port: int
) -> cfg.ConfigOpts:
    """Create the files that do not exist; existing files are kept.

    :param state_dir: a folder that is ``claimed``
    :param api_port: the port of the API
    :param gateway_port: the port of the gateway
    :returns: the configuration
    :raises ConfigurationError: the configuration is invalid
    :raises DatabaseUnavailable: the database cannot be created or upgraded
    """
    if not (state_dir / "console_api.conf").exists():
        print(f"Setting up {state_dir}", flush=True)
        _write_configuration(state_dir)
    _write_ports(state_dir, api_port, gateway_port)
    conf = configuration.load(state_dir)
    if conf.vnc.listen_address != HOST:
        # Callers are not authenticated: other machines must not connect.
        raise errors.ConfigurationError(
            f"[vnc] listen_address in {state_dir / 'console_api.conf'} must "
            f"be {HOST}. Correct it, or choose a new folder with --state-dir."
        )
    repository.setup(Path(conf.passwords.key_repository))
    schema.sync(conf)
    return conf


def write_clouds(state_dir: Path, port: int) -> None:
    """Write the clouds of a user and of an administrator, for clients.

    :param port: the port of the API
    """
    (state_dir / CLOUDS_FILE).write_text(
        _CLOUDS.format(endpoint=f"http://{HOST}:{port}/v2.1")
    )


def register_sample_server(
    database: Database, ports: Mapping[str, int]
) -> None:
    """Register the sample server, unless there are only other servers.

    :param ports: the ports of its displays by protocol, which change with
        every start
    """
    endpoints = {
        protocol: Endpoint(HOST, port) for protocol, port in ports.items()
    }
    if servers.update(database, SERVER_ID, {}, endpoints):
        return
    if servers.list_page(database, "", 1):
        return
    server = Server(
        uuid=SERVER_ID,
        project_id=PROJECT_ID,
        name="sample",
        instance_name="instance-00000001",
        compute_host="compute-1",
        endpoints=endpoints,
    )
    servers.insert(database, [server])


def _write_configuration(state_dir: Path) -> None:
    shutil.copyfile(_paste_file(), state_dir / "api-paste.ini")
    values = {
        "log": state_dir / "console_api.log",
        "database": sqlite_url(state_dir / "console_api.sqlite"),
        "keys": state_dir / "keys",
    }
    # Renamed when complete, so that an interrupted start leaves none.
    draft = state_dir / "console_api.conf.new"
    draft.write_text(_CONFIGURATION.format(**values) + _AGENT)
    draft.rename(state_dir / "console_api.conf")


def _write_ports(state_dir: Path, api_port: int, gateway_port: int) -> None:
    """Write the part of the configuration that the command line changes."""
    folder = state_dir / "console_api.conf.d"
    folder.mkdir(exist_ok=True)
    (folder / "ports.conf").write_text(
        _PORTS.format(
            api=api_port, gateway=gateway_port, monitoring=_find_free_port()
        )
    )


def _find_free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _paste_file() -> Path:
    """Return the paste file of the checkout or of the installation."""
    relative = Path("etc", "console_api", "api-paste.ini")
    roots = (
        Path(__file__).parents[3],
        Path(sys.prefix),
        Path(sysconfig.get_path("data")),
    )
    for root in roots:
        if (root / relative).is_file():
            return root / relative
    raise errors.ConfigurationError(
        f"{relative} is not installed. Install console-api again."
    )
