# SPDX-License-Identifier: Apache-2.0
"""Servers of Nova, looked up through its API."""

from typing import Self
from urllib.parse import parse_qs, quote, urlsplit

from oslo_config import cfg

from console_api import errors
from console_api.bulkhead import acquire_slot
from console_api.db import console_auth_tokens
from console_api.db.engine import Database
from console_api.directory import records
from console_api.directory.base import Endpoint, Server
from console_api.directory.nova import responses
from console_api.directory.nova.client import MICROVERSION, NovaClient
from console_api.directory.nova.compute_hosts import ComputeHostLimits
from console_api.directory.nova.responses import Refusal, unavailable
from console_api.directory.remote import RemoteDirectory

# The remote consoles that reveal the endpoint of a protocol, each with the
# microversion that it requires.  The next one is tried if Nova, or the compute
# service of the server, does not know the first.
_CONSOLES = {
    "vnc": [("novnc", MICROVERSION)],
    # Only the first one reveals the TLS port.
    "spice": [("spice-direct", "2.99"), ("spice-html5", MICROVERSION)],
    "rdp": [("rdp-html5", MICROVERSION)],
    "serial": [("serial", MICROVERSION)],
    "mks": [("webmks", MICROVERSION)],
}


class NovaDirectory(RemoteDirectory):
    """Servers of all projects in Nova."""

    def __init__(
        self, database: Database, cache_seconds: float, client: NovaClient
    ) -> None:
        """Prepare.

        :param client: sends the requests
        """
        super().__init__(database, cache_seconds)
        self._client = client
        self._compute_hosts = ComputeHostLimits()

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, database: Database) -> Self:
        """Create the driver.

        :raises ConfigurationError: an option of ``[nova]`` is invalid
        """
        return cls(database, conf.directory.cache_seconds, NovaClient(conf))

    def find(self, server_id: str) -> Server:
        """Look up a server in Nova; see ``RemoteDirectory.find``.

        The tokens of a server that is off are revoked: they would lead to its
        former port as soon as it is on again.
        """
        try:
            document = self._client.get(f"/servers/{server_id}")
        except Refusal as refusal:
            if refusal.status != 404:
                raise unavailable(str(refusal)) from refusal
            self._check_deleted(server_id)
            raise errors.ServerNotFound(server_id) from refusal
        try:
            server = responses.server(server_id, document["server"])
        except (LookupError, TypeError, ValueError) as error:
            raise unavailable(
                f"invalid server {server_id} in the response: {error!r:.200}. "
                "The service user must be an administrator to see all of it."
            ) from error
        # Read first: most look-ups of such servers must not cause writes.
        if responses.is_off(document["server"]) and console_auth_tokens.exist(
            self._database, server_id
        ):
            records.revoke_tokens(self._database, server_id)
        return server

    def _check_deleted(self, server_id: str) -> None:
        """Raise an error unless a server certainly does not exist.

        The list of all projects is for administrators only.  Nova reports
        a server of another project as missing to other users, so that its
        consoles would be deleted.
        """
        query = f"all_tenants=true&uuid={server_id}&limit=1"
        try:
            found = self._client.get(f"/servers?{query}").get("servers")
        except Refusal as refusal:
            raise unavailable(str(refusal)) from refusal
        if found != []:
            raise unavailable(
                f"server {server_id} does not exist, but is listed"
            )

    def endpoint(self, server: Server, protocol: str) -> Endpoint | None:
        """Create a remote console in Nova, and look up its token.

        See ``Directory.endpoint``.  Nova forwards the request to the compute
        host of the server.

        :raises Overloaded: too many other requests are waiting
        """
        with self._compute_hosts.request(server.compute_host or ""):
            acquire_slot()
            return self._find_endpoint(server, protocol)

    def _find_endpoint(self, server: Server, protocol: str) -> Endpoint | None:
        for console_type, microversion in _CONSOLES[protocol]:
            wanted = {"protocol": protocol, "type": console_type}
            try:
                return self._reveal_endpoint(server, wanted, microversion)
            except Refusal as error:
                refusal = error
                if refusal.status not in (400, 406):
                    break
            except (LookupError, TypeError, ValueError) as error:
                raise unavailable(
                    f"invalid {protocol} console of server {server.uuid} in "
                    f"the response: {error!r:.200}"
                ) from error
        self._check_missing_endpoint(server, refusal)
        return None

    def _reveal_endpoint(
        self, server: Server, wanted: dict[str, str], microversion: str
    ) -> Endpoint:
        """Create a remote console, and return the endpoint of its token.

        :raises Refusal: Nova does not create it
        :raises LookupError, TypeError, ValueError: a response is invalid
        """
        created = self._client.post(
            f"/servers/{server.uuid}/remote-consoles",
            {"remote_console": wanted},
            microversion,
        )
        token = _token(created["remote_console"]["url"])
        info = self._client.get(
            f"/os-console-auth-tokens/{quote(token, safe='')}", microversion
        )
        return responses.endpoint(server.uuid, info["console"])

    def _check_missing_endpoint(
        self, server: Server, refusal: Refusal
    ) -> None:
        """Raise an error unless the server merely has no such endpoint."""
        if refusal.status == 409:
            raise errors.ServerNotReady(server.uuid)
        if refusal.status == 404:
            # The server may have been deleted: then this raises that error.
            self.refresh(server.uuid)
        if refusal.status in (404, 406):
            raise unavailable(str(refusal))


def _token(url: str) -> str:
    """Return the token in an access URL.

    For noVNC, it is in the query of the URL in the parameter ``path``.
    """
    query = parse_qs(urlsplit(url).query)
    if "token" not in query:
        query = parse_qs(urlsplit(query["path"][0]).query)
    return query["token"][0]
