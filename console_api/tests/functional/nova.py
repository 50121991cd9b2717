# SPDX-License-Identifier: Apache-2.0
"""A real Nova API for tests, in an environment of its own, with a Keystone.

It has no compute service: its servers are made in its database by its own
objects, and remote consoles of them cannot be made.
"""

import atexit
import functools
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks import nova, programs
from console_api.tests.functional import configuration, vnc_servers
from console_api.tests.functional.keystone import Keystone

_VENV = configuration.CHECKOUT / ".tox" / "nova"

_SCRIPT = Path(__file__).with_name("nova_script.py")

_CONFIGURATION = """\
[DEFAULT]
host = test
state_path = {folder}
transport_url = fake:/
[api_database]
connection = sqlite:///{folder}/api.sqlite
[database]
connection = sqlite:///{folder}/cell1.sqlite
[oslo_concurrency]
lock_path = {folder}
[neutron]
endpoint_override = {neutron}
[keystone_authtoken]
"""

_VARIABLES = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}


class Nova(programs.GunicornServer):
    """A running Nova, which a Keystone has in its catalog."""

    def __init__(self, keystone: Keystone) -> None:
        """Set it up, start it, and register it.

        :raises unittest.SkipTest: it cannot be installed, and need not be
        """
        try:
            nova.install(_VENV)
        except nova.NovaUnavailable as error:
            vnc_servers.missing(str(error))
        self._folder = configuration.temporary_folder()
        self._configure(keystone.options["keystone_authtoken"])
        for command in (
            ["api_db", "sync"],
            ["cell_v2", "map_cell0", "--database_connection", self._cell0],
            ["db", "sync"],
            ["cell_v2", "create_cell", "--name", "cell1"],
        ):
            self._manage(*command)
        port = programs.free_port()
        super().__init__(
            "nova.wsgi.osapi_compute:application",
            python=_VENV / "bin" / "python",
            folder=self._folder,
            port=port,
            workers=1,
            threads=4,
            variables=_VARIABLES | {"OS_NOVA_CONFIG_DIR": str(self._folder)},
        )
        self.__enter__()
        atexit.register(self.__exit__, None, None, None)
        keystone.add_service("compute", f"http://127.0.0.1:{port}/v2.1")

    @property
    def _cell0(self) -> str:
        return f"sqlite:///{self._folder}/cell0.sqlite"

    def _configure(self, identity: dict[str, str]) -> None:
        lines = [f"{name} = {value}" for name, value in identity.items()]
        (self._folder / "nova.conf").write_text(
            _CONFIGURATION.format(
                folder=self._folder, neutron=_start_neutron()
            )
            + "\n".join(lines)
        )
        shipped = _VENV / "etc" / "nova" / "api-paste.ini"
        (self._folder / "api-paste.ini").write_text(shipped.read_text())

    def _manage(self, *arguments: str) -> None:
        config = str(self._folder / "nova.conf")
        manage = [str(_VENV / "bin" / "nova-manage"), "--config-file", config]
        programs.run([*manage, *arguments], variables=_VARIABLES)

    def _do(self, action: str, **values: str) -> None:
        python = str(_VENV / "bin" / "python")
        arguments = [str(self._folder), action, json.dumps(values)]
        # -P: the modules beside the script are not Nova's.
        command = [python, "-P", str(_SCRIPT), *arguments]
        programs.run(command, variables=_VARIABLES)

    def make_server(self, project_id: str) -> str:
        """Make a server on the compute host `compute-1`; return its id."""
        server_id = str(uuid.uuid4())
        self._do("create", uuid=server_id, project_id=project_id)
        return server_id

    def delete_server(self, server_id: str) -> None:
        """Delete a server."""
        self._do("delete", uuid=server_id)


class _Neutron(BaseHTTPRequestHandler):
    """A network service with no networks: Nova asks it for each server."""

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
    """Return the Nova that the tests of this process share."""
    return Nova(keystone)
