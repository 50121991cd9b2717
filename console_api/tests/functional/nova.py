# SPDX-License-Identifier: Apache-2.0
"""A real Nova for tests, in a separate environment and on a real MariaDB.

It has no compute service: a script stores servers in its database with Nova's
objects, and replies on the message bus to calls about their consoles.  Any
number of API processes serve it, each with its own paste file.
"""

import atexit
import fcntl
import functools
import json
import secrets
import subprocess
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks import nova, programs
from console_api.tests import prerequisites
from console_api.tests.functional import (
    configuration,
    databases,
    rabbitmq,
)
from console_api.tests.functional.client import Client
from console_api.tests.functional.keystone import Keystone
from console_api.tests.ports import free_port

_VENV = configuration.CHECKOUT / ".tox" / "nova"

_PYTHON = str(_VENV / "bin" / "python")

_CONFIGURATION = """\
[DEFAULT]
host = test
state_path = {folder}
transport_url = {bus}
control_exchange = {exchange}
# Only the script replies.
rpc_response_timeout = 2
[notifications]
notification_format = both
[oslo_messaging_notifications]
# They are only recorded.
driver = test
[oslo_messaging_rabbit]
amqp_auto_delete = true
rabbit_transient_queues_ttl = 10
[api_database]
connection = {api}
[database]
connection = {cell1}
[oslo_concurrency]
lock_path = {folder}
[neutron]
endpoint_override = {neutron}
[keystone_authtoken]
"""

_VARIABLES = {
    "OS_NOVA_DISABLE_EVENTLET_PATCHING": "true",
    # The default is shorter than what the tests ask for.
    "GUNICORN_CMD_ARGS": "--limit-request-line 0",
}


class API:
    """An API process of a Nova."""

    def __init__(self, folder: Path) -> None:
        """Start it with the configuration in a folder."""
        self._server = programs.GunicornServer(
            "nova.wsgi.osapi_compute:application",
            python=Path(_PYTHON),
            folder=folder,
            port=free_port(),
            workers=1,
            threads=4,
            variables=_VARIABLES | {"OS_NOVA_CONFIG_DIR": str(folder)},
        )
        self._server.__enter__()
        atexit.register(self._server.__exit__, None, None, None)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.address[1]

    @property
    def url(self) -> str:
        """The URL of the API, without a version."""
        return self._server.url("")

    @property
    def log(self) -> str:
        """The log until now."""
        return self._server.log.read_text(errors="replace")

    def client(self, **kwargs: Any) -> Client:
        """Return a client of the API."""
        return Client(self, **kwargs)


class Nova:
    """A Nova, registered in the catalog of a Keystone."""

    def __init__(self, keystone: Keystone) -> None:
        """Install Nova, start its API as shipped, and register that.

        :raises unittest.SkipTest: RabbitMQ or MariaDB is not running, or
            Nova cannot be installed, and they are not required
        """
        self._bus = rabbitmq.url()
        problem = _install()
        if problem:
            prerequisites.skip(problem)
        self._configure(keystone.options["keystone_authtoken"])
        #: Unique, because the queues of all exchanges share their names.
        self.compute_host = f"compute-{secrets.token_hex(6)}"
        self._script: subprocess.Popen[str] | None = None
        self.api = self.start_api(self.paste_file)
        keystone.add_service("compute", f"{self.api.url}/v2.1")

    @property
    def paste_file(self) -> str:
        """The paste file that Nova ships."""
        return (_VENV / "etc" / "nova" / "api-paste.ini").read_text()

    def start_api(self, paste_file: str, policy: str = "") -> API:
        """Start another API process, with the contents of its files."""
        return API(self._write(paste_file, policy))

    def _write(self, paste_file: str = "", policy: str = "") -> Path:
        folder = configuration.temporary_folder()
        (folder / "nova.conf").write_text(self._configuration)
        (folder / "policy.yaml").write_text(policy)
        (folder / "api-paste.ini").write_text(paste_file)
        return folder

    def _configure(self, identity: dict[str, str]) -> None:
        api, cell0, cell1 = (databases.create("mysql").text for _ in range(3))
        lines = [f"{name} = {value}" for name, value in identity.items()]
        self._configuration = _CONFIGURATION.format(
            folder=configuration.temporary_folder(),
            api=api.replace("$", "$$"),
            cell1=cell1.replace("$", "$$"),
            bus=self._bus,
            exchange=f"console_api_test_{secrets.token_hex(6)}",
            neutron=_start_neutron(),
        ) + "\n".join(lines)
        self._folder = self._write()
        programs.run(
            [*_script("nova_setup.py"), str(self._folder), cell0],
            variables=_VARIABLES,
        )

    def _do(self, action: str, **values: object) -> Any:
        if self._script is None:
            self._script = subprocess.Popen(
                [
                    *_script("nova_script.py"),
                    *(str(self._folder), self.compute_host),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=programs.environment(_VARIABLES),
            )
            atexit.register(self._script.communicate)
        print(
            json.dumps([action, values]), file=self._script.stdin, flush=True
        )
        return json.loads(self._script.stdout.readline())

    def make_server(self, project_id: str) -> str:
        """Create a server on the compute host; return its id."""
        server_id = str(uuid.uuid4())
        self._do(
            "create",
            uuid=server_id,
            project_id=project_id,
            host=self.compute_host,
        )
        return server_id

    def delete_server(self, server_id: str) -> None:
        """Delete a server."""
        self._do("delete", uuid=server_id)

    def change_server(self, server_id: str, **values: object) -> None:
        """Change columns of a server, such as ``host`` and ``power_state``."""
        self._do("change", uuid=server_id, **values)

    def set_display(
        self,
        server_id: str,
        port: int,
        base_url: str | None = None,
        console_type: str = "novnc",
    ) -> None:
        """Let a server have its display on a port of this machine.

        :param base_url: what its compute host has in an option such as
            ``novncproxy_base_url``
        """
        url = {} if base_url is None else {"access_url_base": base_url}
        self._do(
            "set_display",
            uuid=server_id,
            console_type=console_type,
            host="127.0.0.1",
            port=port,
            **url,
        )

    def notifications(self, server_id: str) -> list[dict[str, Any]]:
        """Return a server's notification of each event, in both formats."""
        return self._do("notifications", uuid=server_id)

    def issue_token(self, server_id: str) -> str:
        """Return a new console auth token, issued by Nova."""
        return self._do("issue_token", uuid=server_id)

    def routes(self) -> list[tuple[str, str]]:
        """Return the path and method of each operation of Nova."""
        return [(path, method) for path, method in self._do("routes")]


def _script(name: str) -> list[str]:
    """Return the command of a script beside this module."""
    # -P: the modules beside the script would hide Nova's.
    return [_PYTHON, "-P", str(Path(__file__).with_name(name))]


@functools.cache
def _install() -> str | None:
    """Install Nova, and console_api into the same environment.

    :returns: why Nova cannot be installed, in one line, or None; further
        calls of the process do not try again
    """
    _VENV.parent.mkdir(exist_ok=True)
    with _VENV.with_name("nova.lock").open("w") as lock:
        # Another process of the tests may be installing it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            nova.install(_VENV)
        except nova.NovaUnavailable as error:
            return _summarize(str(error))
        stamp = _VENV / "installed-by-test"
        setup = configuration.CHECKOUT / "setup.cfg"
        wanted = f"{setup}\n{setup.read_text()}"
        if not stamp.is_file() or stamp.read_text() != wanted:
            nova.add(_VENV, "--editable", str(configuration.CHECKOUT))
            stamp.write_text(wanted)
    return None


def _summarize(message: str) -> str:
    """Return one line about a failed installation."""
    # The last line would be about the connection alone.
    if "Failed to fetch" in message:
        return "Nova cannot be installed: no package index can be reached."
    return f"Nova cannot be installed: {message.splitlines()[-1]}"


class _Neutron(BaseHTTPRequestHandler):
    """A network service without networks, as Nova requires one."""

    def do_GET(self) -> None:
        body = b'{"ports": [], "security_groups": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


def _start_neutron() -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Neutron)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


@functools.cache
def shared(keystone: Keystone) -> Nova:
    """Return the Nova that the tests of a process share."""
    return Nova(keystone)
