# SPDX-License-Identifier: Apache-2.0
"""A token plug-in for websockify that asks the API, as Nova's proxies do."""

import http.client
import json

from websockify.token_plugins import BasePlugin


class TokenLookup(BasePlugin):  # type: ignore[misc] # websockify has no types
    """Looks up tokens at ``GET /os-console-auth-tokens``.

    Its source is the port of the API and the token of an administrator.
    """

    def lookup(self, token: str) -> tuple[str, int] | None:
        """Return host and port of the display, None for an invalid token."""
        port, admin_token = self.source.split()
        connection = http.client.HTTPConnection("127.0.0.1", int(port))
        connection.request(
            "GET",
            f"/v2.1/os-console-auth-tokens/{token}",
            headers={
                "OpenStack-API-Version": "compute 2.31",
                "X-Auth-Token": admin_token,
            },
        )
        response = connection.getresponse()
        body = response.read()
        connection.close()
        if response.status != http.HTTPStatus.OK:
            return None
        console = json.loads(body)["console"]
        return console["host"], console["port"]
