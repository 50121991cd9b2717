# SPDX-License-Identifier: Apache-2.0
"""Requests to Nova's API: each ends with an answer or with one error."""

import logging
from collections.abc import Mapping
from typing import Any

import requests
from keystoneauth1 import adapter, exceptions, loading
from oslo_config import cfg

from console_api import errors
from console_api.conf import nova
from console_api.directory.base import SKIP_FILTER

LOG = logging.getLogger(__name__)

# Nova 15 and later; it shows connection info of every console type.
_MICROVERSION = "2.31"

# The refusals that mean something, and the key of each in Nova's answer: a
# proxy's 404 says nothing of a server.
_FAULTS = {
    400: "badRequest",
    404: "itemNotFound",
    409: "conflictingRequest",
    501: "notImplemented",
}

# What an operator configures wrong shows as one of these.
_UNUSABLE = (exceptions.ClientException, cfg.Error, TypeError, ValueError)


class Refusal(Exception):
    """Nova answers with a fault that means something."""

    def __init__(self, status: int) -> None:
        """Keep the status, one of 400, 404, 409 and 501."""
        super().__init__(f"Nova answers {status}.")
        self.status = status


class NovaClient:
    """Asks Nova as the service user of ``[nova]``; safe for threads."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Prepare a session that all requests use; nothing is sent yet.

        :raises ConfigurationError: an option of ``[nova]`` cannot be used
        """
        try:
            nova.register(conf)
            auth = loading.load_auth_from_conf_options(conf, nova.GROUP)
            session = loading.load_session_from_conf_options(
                conf, nova.GROUP, auth=auth
            )
            self._adapter: adapter.Adapter = (
                loading.load_adapter_from_conf_options(
                    conf, nova.GROUP, session=session, auth=auth
                )
            )
        except _UNUSABLE as error:
            raise errors.ConfigurationError(
                f"[nova] Nova cannot be asked with these options: {error}"
            ) from error
        if auth is None:
            raise errors.ConfigurationError(
                "[nova] auth_type is not set. Say as whom to ask Nova: "
                "auth_type, auth_url and what that type asks for."
            )

    def get(self, path: str) -> Mapping[str, Any]:
        """Read a resource; see ``_send``."""
        return self._send("GET", path)

    def post(self, path: str, body: Any) -> Mapping[str, Any]:
        """Create a resource; see ``_send``."""
        return self._send("POST", path, json=body)

    def _send(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        """Send a request and return the document of the answer.

        :raises Refusal: a fault that means something
        :raises DirectoryUnavailable: no answer, or one that cannot be used
        """
        try:
            response = self._adapter.request(
                path,
                method,
                microversion=_MICROVERSION,
                raise_exc=False,
                # It would log tokens, with the paths and bodies they are in.
                log=False,
                # Our own filter in Nova's pipeline would ask us again.
                headers={"Accept": "application/json", SKIP_FILTER: "1"},
                **kwargs,
            )
        except (exceptions.ClientException, requests.RequestException) as e:
            raise unavailable(f"no answer: {e}") from e
        return _document(response)


def unavailable(reason: str) -> errors.DirectoryUnavailable:
    """Log why Nova's answer is none, and make the error that says so."""
    LOG.error("Nova cannot tell of a server: %s", reason)
    return errors.DirectoryUnavailable()


def _document(response: requests.Response) -> dict[str, Any]:
    status = response.status_code
    try:
        document: Any = response.json()
    except (ValueError, RecursionError) as error:
        raise unavailable(f"status {status}, and no JSON") from error
    if not isinstance(document, dict):
        raise unavailable(f"status {status}, and no JSON object")
    if status == 200:
        return document
    if _FAULTS.get(status, "") in document:
        raise Refusal(status)
    raise unavailable(f"status {status}: {document!r:.200}")
