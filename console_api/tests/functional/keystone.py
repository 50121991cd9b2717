# SPDX-License-Identifier: Apache-2.0
"""A real Keystone for tests, on SQLite in a temporary folder."""

import atexit
import functools
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from console_api.tests.functional import configuration

_START_TIMEOUT = 60
_STOP_TIMEOUT = 20

_CONFIGURATION = """\
[database]
connection = sqlite:///{folder}/keystone.sqlite
[fernet_tokens]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
"""


class Keystone:
    """A running Keystone with the roles that `bootstrap` makes."""

    def __init__(self) -> None:
        """Set it up, start it, and get a token of its administrator."""
        self._folder = configuration.temporary_folder()
        self._password = secrets.token_urlsafe()
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v3"
        with listener:
            self._prepare()
            self._start(listener)
        self._admin = self.token("admin", self._password, "admin")
        self._roles = {role["name"]: role["id"] for role in self._get("roles")}

    def _prepare(self) -> None:
        config = self._folder / "keystone.conf"
        config.write_text(_CONFIGURATION.format(folder=self._folder))
        user = ["--keystone-user", "root", "--keystone-group", "root"]
        if os.geteuid():
            user = []
        self._manage("db_sync")
        self._manage("fernet_setup", *user)
        self._manage("credential_setup", *user)
        os.environ["OS_BOOTSTRAP_PASSWORD"] = self._password
        self._manage(
            "bootstrap",
            *("--bootstrap-public-url", self.url),
            *("--bootstrap-internal-url", self.url),
        )
        del os.environ["OS_BOOTSTRAP_PASSWORD"]

    def _manage(self, *arguments: str) -> None:
        program = Path(sys.executable).with_name("keystone-manage")
        subprocess.run(
            [
                program,
                *("--config-file", self._folder / "keystone.conf"),
                *arguments,
            ],
            check=True,
            capture_output=True,
        )

    def _start(self, listener: socket.socket) -> None:
        settings = self._folder / "gunicorn.py"
        settings.write_text(
            f'bind = "fd://{listener.fileno()}"\n'
            "threads = 4\n"
            "control_socket_disable = True\n"
            'wsgi_app = "keystone.wsgi.api:application"\n'
        )
        with (self._folder / "keystone.log").open("wb") as log:
            self._process = subprocess.Popen(
                # Without arguments: Keystone would take them for its own.
                [sys.executable, "-m", "gunicorn"],
                pass_fds=[listener.fileno()],
                env={
                    **os.environ,
                    "OS_KEYSTONE_CONFIG_DIR": str(self._folder),
                    "GUNICORN_CMD_ARGS": f"--config {settings}",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        atexit.register(self.stop)
        # Waits in the queue of the socket until somebody answers.
        requests.get(self.url, timeout=_START_TIMEOUT).raise_for_status()

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._process.terminate()
        self._process.wait(_STOP_TIMEOUT)

    def make_project(self) -> str:
        """Make a project.

        :returns: its id
        """
        project = self._post(
            "projects", {"project": {"name": secrets.token_hex(8)}}
        )
        return project["project"]["id"]

    def make_token(self, project_id: str, role: str | None) -> str:
        """Make a user with a role on a project, and get a token of it."""
        name, password = self.make_user(project_id, role)
        return self.token(name, password, project_id=project_id)

    def make_user(self, project_id: str, role: str | None) -> tuple[str, str]:
        """Make a user with a role on a project.

        :returns: name and password
        """
        name, password = secrets.token_hex(8), secrets.token_urlsafe()
        user = self._post(
            "users", {"user": {"name": name, "password": password}}
        )["user"]
        if role is not None:
            reply = requests.put(
                f"{self.url}/projects/{project_id}/users/{user['id']}"
                f"/roles/{self._roles[role]}",
                headers={"X-Auth-Token": self._admin},
                timeout=_START_TIMEOUT,
            )
            reply.raise_for_status()
        return name, password

    def token(
        self,
        user: str,
        password: str,
        project: str | None = None,
        project_id: str | None = None,
    ) -> str:
        """Get a token of a user for a project, by its name or its id."""
        domain = {"id": "default"}
        scope: dict[str, Any] = {"id": project_id}
        if project is not None:
            scope = {"name": project, "domain": domain}
        reply = requests.post(
            f"{self.url}/auth/tokens",
            json={
                "auth": {
                    "identity": {
                        "methods": ["password"],
                        "password": {
                            "user": {
                                "name": user,
                                "domain": domain,
                                "password": password,
                            }
                        },
                    },
                    "scope": {"project": scope},
                }
            },
            timeout=_START_TIMEOUT,
        )
        reply.raise_for_status()
        return reply.headers["X-Subject-Token"]

    def add_service(self, kind: str, url: str) -> None:
        """Put a service of a type into the catalog."""
        service = self._post("services", {"service": {"type": kind}})
        for interface in ("public", "internal"):
            endpoint = {
                "service_id": service["service"]["id"],
                "interface": interface,
                "url": url,
            }
            self._post("endpoints", {"endpoint": endpoint})

    @property
    def credentials(self) -> dict[str, str]:
        """The options of keystoneauth for the administrator."""
        return {
            "auth_url": self.url,
            "auth_type": "password",
            "username": "admin",
            "password": self._password,
            "project_name": "admin",
            "user_domain_id": "default",
            "project_domain_id": "default",
        }

    @property
    def options(self) -> dict[str, dict[str, str]]:
        """The options of a service that asks this Keystone."""
        return {
            "api": {"auth_strategy": "keystone"},
            "keystone_authtoken": {
                "www_authenticate_uri": self.url,
                **self.credentials,
                # Refused unless a service has the role of one.
                "service_token_roles_required": "true",
            },
        }

    def _get(self, collection: str) -> list[dict[str, Any]]:
        reply = requests.get(
            f"{self.url}/{collection}",
            headers={"X-Auth-Token": self._admin},
            timeout=_START_TIMEOUT,
        )
        reply.raise_for_status()
        return reply.json()[collection]

    def _post(self, collection: str, document: Any) -> Any:
        reply = requests.post(
            f"{self.url}/{collection}",
            json=document,
            headers={"X-Auth-Token": self._admin},
            timeout=_START_TIMEOUT,
        )
        reply.raise_for_status()
        return reply.json()


@functools.cache
def shared() -> Keystone:
    """Return the Keystone that the tests of this process share."""
    return Keystone()
