# SPDX-License-Identifier: Apache-2.0
"""What the responses of Nova's API mean."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from console_api import errors, values
from console_api.directory.base import Endpoint, Server

LOG = logging.getLogger(__name__)

# The faults that mean something, and the key of each in Nova's response: a
# proxy's 404 does not mean that there is no server.
_FAULTS = {
    400: "badRequest",
    404: "itemNotFound",
    # Nova does not support the microversion.
    406: "computeFault",
    409: "conflictingRequest",
    501: "notImplemented",
}

# The compute service that the server is on, and its name on the hypervisor:
# for administrators only (os_compute_api:os-extended-server-attributes in
# Nova's policy). Not hypervisor_hostname: for a bare metal server that is a
# node, and operators identify a compute host by its service.
HOST = "OS-EXT-SRV-ATTR:host"
INSTANCE_NAME = "OS-EXT-SRV-ATTR:instance_name"

_POWER_STATE = "OS-EXT-STS:power_state"

# Shut down, crashed and suspended: without a display.
_OFF = (4, 6, 7)


class Refusal(Exception):
    """Nova responded with a fault that means something."""

    def __init__(self, status: int) -> None:
        """Keep the status: 400, 404, 406, 409 or 501."""
        super().__init__(f"Nova responded with status {status}.")
        self.status = status


class TimedOut(errors.DirectoryUnavailable):
    """There was no complete response in time."""


def timed_out(seconds: float) -> TimedOut:
    """Log that there was no response in time; return the error to raise."""
    LOG.error(
        "Cannot look up a server in Nova: no complete response within %s "
        "seconds",
        seconds,
    )
    return TimedOut()


def unavailable(reason: str) -> errors.DirectoryUnavailable:
    """Log why a response cannot be used, and return the error to raise."""
    LOG.error("Cannot look up a server in Nova: %s", reason)
    return errors.DirectoryUnavailable()


def read(status: int, body: bytes) -> dict[str, Any]:
    """Return the JSON object of a response.

    :raises Refusal: it is a fault that means something
    :raises DirectoryUnavailable: the response cannot be used
    """
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise unavailable(f"status {status} without JSON") from error
    if not isinstance(document, dict):
        raise unavailable(f"status {status} without a JSON object")
    if status == 200:
        return document
    if _FAULTS.get(status, "") in document:
        raise Refusal(status)
    raise unavailable(f"status {status}: {document!r:.200}")


def server(server_id: str, document: Mapping[str, Any]) -> Server:
    """Return the server in a document that an administrator is shown.

    :raises LookupError, ValueError: the document is incomplete or invalid
    """
    if document["id"] != server_id:
        raise ValueError(f"id is {values.quoted(document['id'])}")
    is_scheduled = document[HOST] is not None
    return Server(
        uuid=server_id,
        project_id=_text(document, "tenant_id"),
        name=_text(document, "name"),
        instance_name=_text(document, INSTANCE_NAME),
        compute_host=(
            values.named(HOST, values.host, document[HOST])
            if is_scheduled
            else None
        ),
    )


def is_off(document: Mapping[str, Any]) -> bool:
    """Return whether a server in a document has no display.

    Another server may be given its port.
    """
    return document.get(_POWER_STATE) in _OFF


def endpoint(server_id: str, document: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint in the connection info of a token.

    :raises LookupError, ValueError: the document is incomplete or invalid,
        or belongs to another server
    """
    if document["instance_uuid"] != server_id:
        raise ValueError("the token belongs to another server")
    has_path = bool(document.get("internal_access_path"))
    has_tls_port = document.get("tls_port") is not None
    return Endpoint(
        host=values.named("host", values.endpoint_host, document["host"]),
        port=values.named("port", values.port, document["port"]),
        tls_port=(
            values.named("tls_port", values.port, document["tls_port"])
            if has_tls_port
            else None
        ),
        internal_access_path=(
            _text(document, "internal_access_path") if has_path else None
        ),
    )


def _text(document: Mapping[str, Any], key: str) -> str:
    return values.named(key, values.text, document[key])
