# SPDX-License-Identifier: Apache-2.0
"""Requests of the quickstart to the programs that it runs."""

import http.client
import json

from console_api.cmd.quickstart.state import HOST, PROJECT_ID, SERVER_ID

# The first request waits until the application has been loaded.
_TIMEOUT = 10

_REMOTE_CONSOLES = f"/v2.1/servers/{SERVER_ID}/remote-consoles"


def succeeds(port: int, path: str) -> bool:
    """Return whether a program answers a GET request with 200."""
    # The socket may listen already: the request waits until it is accepted.
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def create_remote_console(port: int, protocol: str, kind: str) -> str | None:
    """Return the URL of a remote console of the sample server.

    :param port: the port of the API
    :returns: None if the sample server was deleted
    """
    body = {"remote_console": {"protocol": protocol, "type": kind}}
    headers = {
        "Content-Type": "application/json",
        "OpenStack-API-Version": "compute 2.6",
        "X-Auth-Token": f"user:{PROJECT_ID}",
    }
    connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT)
    try:
        connection.request("POST", _REMOTE_CONSOLES, json.dumps(body), headers)
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            return None
        return str(json.load(response)["remote_console"]["url"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    finally:
        connection.close()
