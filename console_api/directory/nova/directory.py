# SPDX-License-Identifier: Apache-2.0
"""The directory that asks Nova, over REST, as a service user."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from oslo_config import cfg

from console_api import errors
from console_api.db.engine import Database
from console_api.directory import checks
from console_api.directory.base import Endpoint, Server
from console_api.directory.nova import answers
from console_api.directory.nova.answers import Refusal, unavailable
from console_api.directory.nova.client import NovaClient
from console_api.directory.remote import RemoteDirectory

# Which remote console Nova is asked for to learn of an endpoint.
_TYPES = {
    "vnc": "novnc",
    "spice": "spice-html5",
    "rdp": "rdp-html5",
    "serial": "serial",
    "mks": "webmks",
}


class NovaDirectory(RemoteDirectory):
    """The servers of Nova, of all projects."""

    def __init__(
        self, database: Database, cache_seconds: float, client: NovaClient
    ) -> None:
        """Ask through this client."""
        super().__init__(database, cache_seconds)
        self._client = client

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, database: Database) -> Self:
        """Make the driver.

        :raises ConfigurationError: an option of ``[nova]`` cannot be used
        """
        return cls(database, conf.directory.cache_seconds, NovaClient(conf))

    def find(self, server_id: str) -> Server:
        """Ask Nova for a server; see ``RemoteDirectory.find``."""
        try:
            document = self._client.get(f"/servers/{server_id}")
        except Refusal as refusal:
            if refusal.status != 404:
                raise unavailable(str(refusal)) from refusal
            self._make_sure_it_is_gone(server_id)
            raise errors.ServerNotFound(server_id) from refusal
        try:
            return answers.server(server_id, document["server"])
        except (LookupError, TypeError, ValueError) as error:
            raise unavailable(
                f"{error!r:.200} in what it says of server {server_id}. The "
                "service user has to be an administrator to see it all."
            ) from error

    def _make_sure_it_is_gone(self, server_id: str) -> None:
        """Ask in a way that only who sees all projects is answered.

        Anybody else is told of a server of another project that it is not
        there, and its consoles would be deleted.
        """
        query = f"all_tenants=true&uuid={server_id}&limit=1"
        try:
            found = self._client.get(f"/servers?{query}").get("servers")
        except Refusal as refusal:
            raise unavailable(str(refusal)) from refusal
        if found != []:
            raise unavailable(
                f"server {server_id} is not there, and yet listed"
            )

    def endpoint(self, server: Server, protocol: str) -> Endpoint | None:
        """Have Nova make a remote console, and look its token up."""
        wanted = {"protocol": protocol, "type": _TYPES[protocol]}
        try:
            made = self._client.post(
                f"/servers/{server.uuid}/remote-consoles",
                {"remote_console": wanted},
            )
            token = _token(made["remote_console"]["url"])
            info = self._client.get(
                f"/os-console-auth-tokens/{quote(token, safe='')}"
            )
            return _endpoint(server.uuid, info["console"])
        except Refusal as refusal:
            self._explain(server, refusal)
            return None
        except (LookupError, TypeError, ValueError) as error:
            raise unavailable(
                f"{error!r:.200} in what it says of the {protocol} console "
                f"of server {server.uuid}"
            ) from error

    def _explain(self, server: Server, refusal: Refusal) -> None:
        """Raise an error unless the server just has no such endpoint."""
        if refusal.status == 409:
            raise errors.ServerNotReady(server.uuid)
        if refusal.status == 404:
            # The server may be gone, and then this says so.
            self.refresh(server.uuid)
            raise unavailable(str(refusal))


def _token(url: str) -> str:
    """Return the token in an access URL.

    In those of noVNC it is in the query of the query's ``path``.
    """
    query = parse_qs(urlsplit(url).query)
    if "token" not in query:
        query = parse_qs(urlsplit(query["path"][0]).query)
    return query["token"][0]


def _endpoint(server_id: str, told: Mapping[str, Any]) -> Endpoint:
    if told["instance_uuid"] != server_id:
        raise ValueError("the token is of another server")
    path = told.get("internal_access_path")
    return Endpoint(
        host=checks.text(told["host"], "host"),
        port=checks.port(told["port"], "port"),
        internal_access_path=(
            checks.text(path, "internal_access_path") if path else None
        ),
    )
