# SPDX-License-Identifier: Apache-2.0
"""What Nova's answers mean, whichever way they came."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from console_api import errors
from console_api.directory import checks
from console_api.directory.base import Server

LOG = logging.getLogger(__name__)

# The refusals that mean something, and the key of each in Nova's answer: a
# proxy's 404 says nothing of a server.
_FAULTS = {
    400: "badRequest",
    404: "itemNotFound",
    409: "conflictingRequest",
    501: "notImplemented",
}

# The compute service that the server is on, and its name on the hypervisor
# there: for administrators alone (os_compute_api:os-extended-server-attributes
# in Nova's policy). Not hypervisor_hostname: that of a bare metal server is a
# node, and what operators know a compute host by is the service's `host`.
HOST = "OS-EXT-SRV-ATTR:host"
INSTANCE_NAME = "OS-EXT-SRV-ATTR:instance_name"


class Refusal(Exception):
    """Nova answers with a fault that means something."""

    def __init__(self, status: int) -> None:
        """Keep the status, one of 400, 404, 409 and 501."""
        super().__init__(f"Nova answers {status}.")
        self.status = status


def unavailable(reason: str) -> errors.DirectoryUnavailable:
    """Log why Nova's answer is none, and make the error that says so."""
    LOG.error("Nova cannot tell of a server: %s", reason)
    return errors.DirectoryUnavailable()


def read(status: int, body: bytes) -> dict[str, Any]:
    """Return the document of an answer.

    :raises Refusal: a fault that means something
    :raises DirectoryUnavailable: an answer that cannot be used
    """
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise unavailable(f"status {status}, and no JSON") from error
    if not isinstance(document, dict):
        raise unavailable(f"status {status}, and no JSON object")
    if status == 200:
        return document
    if _FAULTS.get(status, "") in document:
        raise Refusal(status)
    raise unavailable(f"status {status}: {document!r:.200}")


def server(server_id: str, told: Mapping[str, Any]) -> Server:
    """Read a server as an administrator is shown it.

    :raises LookupError, TypeError, ValueError: it cannot be believed
    """
    if told["id"] != server_id:
        raise ValueError(f"id is {told['id']!r:.40}")
    host = told[HOST]
    return Server(
        uuid=server_id,
        project_id=checks.text(told["tenant_id"], "tenant_id"),
        name=checks.text(told["name"], "name"),
        instance_name=checks.text(told[INSTANCE_NAME], INSTANCE_NAME),
        compute_host=None if host is None else checks.text(host, HOST),
    )
