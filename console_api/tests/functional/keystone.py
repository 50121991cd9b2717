# SPDX-License-Identifier: Apache-2.0
"""A real Keystone for tests, on SQLite in a temporary folder."""

import atexit
import datetime as dt
import functools
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet

from console_api.tests.functional import configuration

#: Where all users and projects are.
DEFAULT_DOMAIN = {"id": "default"}

#: What a token is for, as Keystone's API has it.
Scope = dict[str, Any] | str

#: What we are in the catalog, once a test has put us there.
SERVICE_TYPE = "console-test"

SYSTEM: Scope = {"system": {"all": True}}
UNSCOPED: Scope = "unscoped"

_START_TIMEOUT = 60
_STOP_TIMEOUT = 20

_CONFIGURATION = """\
[identity]
# As cheap as it can be: nobody is kept out here.
password_hash_rounds = 4
[database]
connection = sqlite:///{folder}/keystone.sqlite
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/fernet
[oslo_policy]
policy_file = {folder}/policy.yaml
policy_dirs = {folder}/policy.d
"""


class Keystone:
    """A running Keystone with the roles that `bootstrap` makes."""

    def __init__(self) -> None:
        """Set it up, start it, and get a token of its administrator."""
        self._folder = configuration.temporary_folder()
        self._password = secrets.token_urlsafe()
        # Keystone also looks for its configuration in the home directory.
        self._environment = {
            **os.environ,
            "HOME": str(self._folder),
            "OS_KEYSTONE_CONFIG_DIR": str(self._folder),
        }
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v3"
        with listener:
            self._prepare()
            self._start(listener)
        self._admin = self.token(
            "admin",
            self._password,
            {"project": {"name": "admin", "domain": DEFAULT_DOMAIN}},
        )
        roles = self._send("GET", "roles").json()["roles"]
        self._roles = {role["name"]: role["id"] for role in roles}
        self._service_project = self.make_project()
        self._service = self.make_user(self._service_project, "service")

    def _prepare(self) -> None:
        config = self._folder / "keystone.conf"
        config.write_text(_CONFIGURATION.format(folder=self._folder))
        # What `fernet_setup` makes: the next key and the one in use.
        keys = self._folder / "fernet"
        keys.mkdir(mode=0o700)
        for name in ("0", "1"):
            (keys / name).write_bytes(Fernet.generate_key())
        self._manage("db_sync")
        self._manage(
            "bootstrap",
            *("--bootstrap-public-url", self.url),
            *("--bootstrap-internal-url", self.url),
        )

    def _manage(self, *arguments: str) -> None:
        program = Path(sys.executable).with_name("keystone-manage")
        done = subprocess.run(
            [
                program,
                *("--config-file", self._folder / "keystone.conf"),
                *("--config-dir", self._folder),
                *arguments,
            ],
            env={**self._environment, "OS_BOOTSTRAP_PASSWORD": self._password},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"keystone-manage {arguments[0]} failed:\n{done.stdout}"
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
                    **self._environment,
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
        return self.token(name, password, {"project": {"id": project_id}})

    def make_user(
        self, project_id: str, role: str | None, name: str | None = None
    ) -> tuple[str, str]:
        """Make a user with a role on a project.

        :returns: name and password
        """
        name, password, user_id = self._make_user(name)
        if role is not None:
            self._grant(role, f"projects/{project_id}", user_id)
        return name, password

    def make_service_user(self, name: str) -> str:
        """Make an administrator of the project `service`, and that, too.

        :returns: the password
        """
        project = self._post("projects", {"project": {"name": "service"}})
        _, password = self.make_user(project["project"]["id"], "admin", name)
        return password

    def make_system_token(self, role: str) -> str:
        """Make a user with a role on the system, and get a token of that."""
        name, password, user_id = self._make_user()
        self._grant(role, "system", user_id)
        return self.token(name, password, SYSTEM)

    def make_domain_token(self, role: str) -> str:
        """Make a user with a role on a domain, and get a token of that."""
        name, password, user_id = self._make_user()
        self._grant(role, f"domains/{DEFAULT_DOMAIN['id']}", user_id)
        return self.token(name, password, {"domain": DEFAULT_DOMAIN})

    def _make_user(self, name: str | None = None) -> tuple[str, str, str]:
        name = name or secrets.token_hex(8)
        password = secrets.token_urlsafe()
        user = {"name": name, "password": password}
        made = self._post("users", {"user": user})
        return name, password, made["user"]["id"]

    @property
    def admin_token(self) -> str:
        """A token of the administrator, in a project of its own."""
        return self._admin

    def token(self, user: str, password: str, scope: Scope) -> str:
        """Get a token of a user for a scope, as Keystone's API has it."""
        identity = {
            "methods": ["password"],
            "password": {
                "user": {
                    "name": user,
                    "domain": DEFAULT_DOMAIN,
                    "password": password,
                }
            },
        }
        return self._authenticate({"identity": identity, "scope": scope})

    def brief_token(self, project_id: str, role: str) -> str:
        """Make a user with a role, and get a token that expires in seconds.

        It ends with the application credential that it is issued for.
        """
        token = self.make_token(project_id, role)
        for seconds in (2, 4, 8, 16, 32):
            try:
                return self._token_for(seconds, token)
            except requests.HTTPError:
                # This machine was too slow: it had already expired.
                continue
        raise TimeoutError("No token was issued in time.")

    def _token_for(self, seconds: float, token: str) -> str:
        expiry = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        return self.restricted_token(
            token, expires_at=expiry.strftime("%Y-%m-%dT%H:%M:%S.%f")
        )

    def restricted_token(self, token: str, **attributes: Any) -> str:
        """Get a token for an application credential of a token's user."""
        made = self._post(
            f"users/{self._user_id(token)}/application_credentials",
            {
                "application_credential": {
                    "name": secrets.token_hex(8),
                    **attributes,
                }
            },
            token,
        )["application_credential"]
        identity = {
            "methods": ["application_credential"],
            "application_credential": {
                "id": made["id"],
                "secret": made["secret"],
            },
        }
        return self._authenticate({"identity": identity})

    def _user_id(self, token: str) -> str:
        headers = {"X-Auth-Token": token, "X-Subject-Token": token}
        reply = self._send("GET", "auth/tokens", headers=headers)
        return reply.json()["token"]["user"]["id"]

    def _authenticate(self, document: dict[str, Any]) -> str:
        document = {"auth": document}
        reply = self._send("POST", "auth/tokens", json=document, headers={})
        return reply.headers["X-Subject-Token"]

    def _grant(self, role: str, where: str, user_id: str) -> None:
        role_id = self._roles[role]
        self._send("PUT", f"{where}/users/{user_id}/roles/{role_id}")

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
            "user_domain_id": DEFAULT_DOMAIN["id"],
            "project_domain_id": DEFAULT_DOMAIN["id"],
        }

    @property
    def options(self) -> dict[str, dict[str, str]]:
        """The options of a service that asks this Keystone."""
        return {
            "api": {"auth_strategy": "keystone"},
            "keystone_authtoken": {
                "www_authenticate_uri": self.url,
                "auth_url": self.url,
                "auth_type": "password",
                "username": self._service[0],
                "password": self._service[1],
                "project_id": self._service_project,
                "user_domain_id": DEFAULT_DOMAIN["id"],
                "service_type": SERVICE_TYPE,
            },
        }

    def _post(
        self, collection: str, document: Any, token: str | None = None
    ) -> Any:
        headers = {"X-Auth-Token": token or self._admin}
        return self._send(
            "POST", collection, json=document, headers=headers
        ).json()

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request, as the administrator unless there are headers."""
        if "headers" not in more:
            more["headers"] = {"X-Auth-Token": self._admin}
        reply = requests.request(
            method, f"{self.url}/{path}", timeout=_START_TIMEOUT, **more
        )
        reply.raise_for_status()
        return reply


@functools.cache
def shared() -> Keystone:
    """Return the Keystone that the tests of this process share."""
    return Keystone()
