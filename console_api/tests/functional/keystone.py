# SPDX-License-Identifier: Apache-2.0
"""A real Keystone for tests: its projects, users and tokens."""

import datetime as dt
import functools
import secrets
from typing import Any

import requests

from console_api.tests.functional.keystone_server import (
    TIMEOUT,
    KeystoneServer,
)

#: The domain of all users and projects.
DEFAULT_DOMAIN = {"id": "default"}

#: The scope of a token, in the form of Keystone's API.
Scope = dict[str, Any] | str

#: The service type of console_api in the catalog.
SERVICE_TYPE = "console-test"

SYSTEM: Scope = {"system": {"all": True}}
UNSCOPED: Scope = "unscoped"


class Keystone:
    """A running Keystone with the roles that ``bootstrap`` creates."""

    def __init__(self) -> None:
        """Start it and get a token of its administrator."""
        self._server = KeystoneServer()
        self._password = self._server.password
        self.url = self._server.url
        self._admin = self.token(
            "admin",
            self._password,
            {"project": {"name": "admin", "domain": DEFAULT_DOMAIN}},
        )
        roles = self._send("GET", "roles").json()["roles"]
        self._roles = {role["name"]: role["id"] for role in roles}
        self._service_project = self.make_project()
        self._service = self.make_user(self._service_project, "service")

    def make_project(self) -> str:
        """Create a project and return its ID."""
        project = self._post(
            "projects", {"project": {"name": secrets.token_hex(8)}}
        )
        return project["project"]["id"]

    def make_token(self, project_id: str, role: str | None) -> str:
        """Return a token of a new user with a role on a project."""
        name, password = self.make_user(project_id, role)
        return self.token(name, password, {"project": {"id": project_id}})

    def make_user(
        self, project_id: str, role: str | None, name: str | None = None
    ) -> tuple[str, str]:
        """Create a user with a role on a project.

        :returns: name and password
        """
        name, password, user_id = self._make_user(name)
        if role is not None:
            self._grant(role, f"projects/{project_id}", user_id)
        return name, password

    def make_service_user(self, name: str) -> str:
        """Create an administrator of the new project ``service``.

        :returns: the password
        """
        project = self._post("projects", {"project": {"name": "service"}})
        _, password = self.make_user(project["project"]["id"], "admin", name)
        return password

    def make_system_token(self, role: str) -> str:
        """Return a system-scoped token of a new user with a role."""
        name, password, user_id = self._make_user()
        self._grant(role, "system", user_id)
        return self.token(name, password, SYSTEM)

    def make_domain_token(self, role: str) -> str:
        """Return a domain-scoped token of a new user with a role."""
        name, password, user_id = self._make_user()
        self._grant(role, f"domains/{DEFAULT_DOMAIN['id']}", user_id)
        return self.token(name, password, {"domain": DEFAULT_DOMAIN})

    def _make_user(self, name: str | None = None) -> tuple[str, str, str]:
        name = name or secrets.token_hex(8)
        # Programs take it as an argument, which must not look like an option.
        password = secrets.token_hex()
        user = {"name": name, "password": password}
        made = self._post("users", {"user": user})
        return name, password, made["user"]["id"]

    @property
    def admin_token(self) -> str:
        """A token of the administrator, scoped to its own project."""
        return self._admin

    def token(self, user: str, password: str, scope: Scope) -> str:
        """Return a token of a user."""
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
        """Return a token of a new user that expires in seconds.

        It expires together with its application credential.
        """
        token = self.make_token(project_id, role)
        for seconds in (2, 4, 8, 16, 32):
            try:
                return self._token_for(seconds, token)
            except requests.HTTPError:
                # It expired before it was issued.
                continue
        raise TimeoutError("No token was issued in time.")

    def _token_for(self, seconds: float, token: str) -> str:
        expiry = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        return self.restricted_token(
            token, expires_at=expiry.strftime("%Y-%m-%dT%H:%M:%S.%f")
        )

    def restricted_token(self, token: str, **attributes: Any) -> str:
        """Return a token for an application credential of a token's user."""
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

    def add_service(self, kind: str, url: str) -> str:
        """Add a service to the catalog and return its ID."""
        service = self._post("services", {"service": {"type": kind}})
        for interface in ("public", "internal"):
            endpoint = {
                "service_id": service["service"]["id"],
                "interface": interface,
                "url": url,
            }
            self._post("endpoints", {"endpoint": endpoint})
        return service["service"]["id"]

    def remove_service(self, service_id: str) -> None:
        """Remove a service from the catalog."""
        self._send("DELETE", f"services/{service_id}")

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
        """The options of a service that uses this Keystone."""
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
        """Send a request, by default as the administrator."""
        if "headers" not in more:
            more["headers"] = {"X-Auth-Token": self._admin}
        reply = requests.request(
            method, f"{self.url}/{path}", timeout=TIMEOUT, **more
        )
        reply.raise_for_status()
        return reply


@functools.cache
def shared() -> Keystone:
    """Return the Keystone that the tests of this process share."""
    return Keystone()
