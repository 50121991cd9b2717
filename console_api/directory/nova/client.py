# SPDX-License-Identifier: Apache-2.0
"""Requests to Nova's API: each ends with an answer or with one error."""

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

import requests
import urllib3
from keystoneauth1 import adapter, exceptions, loading
from oslo_config import cfg

from console_api import errors
from console_api.conf import nova
from console_api.directory.base import SKIP_FILTER
from console_api.directory.nova import answers

# Nova 15 and later; it shows connection info of every console type.
_MICROVERSION = "2.31"

# What an operator configures wrong shows as one of these.
_UNUSABLE = (exceptions.ClientException, cfg.Error, TypeError, ValueError)

# What is raised instead of an answer, each library's own way.
_NO_ANSWER = (
    exceptions.ClientException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
)

# Nova says all there is of a server in some kilobytes.
_MOST_BYTES = 2**20

_CHUNK = 2**16

# A path that may be in the text of any error, and what of it is secret.
_TOKEN = re.compile(r"(?<=/os-console-auth-tokens/)[^\s:/?'\")]+")


def _hide_token(record: logging.LogRecord) -> bool:
    record.msg, record.args = _TOKEN.sub("***", record.getMessage()), ()
    return True


# For keystoneauth, which says at level WARNING what it tries again, and why.
_RETRIES = logging.getLogger(f"{__name__}.retries")
_RETRIES.addFilter(_hide_token)


class NovaClient:
    """Asks Nova as the service user of ``[nova]``; safe for threads."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Prepare a session that all requests use; nothing is sent yet.

        :raises ConfigurationError: an option of ``[nova]`` cannot be used
        """
        try:
            nova.register(conf)
            self._timeout = conf[nova.GROUP].timeout
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
        if self._timeout <= 0:
            raise errors.ConfigurationError(
                f"[nova] timeout is {self._timeout}. Give the seconds that "
                "Nova may take to answer."
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
                logger=_RETRIES,
                # The service user's token would go wherever it is sent.
                redirect=False,
                # All of the answer would be read, however long it takes.
                stream=True,
                hooks={"response": _forget_retry_after},
                # Our own filter in Nova's pipeline would ask us again.
                headers={"Accept": "application/json", SKIP_FILTER: "1"},
                **kwargs,
            )
            with response:
                body = self._read(response)
        except _NO_ANSWER as e:
            said = _TOKEN.sub("***", str(e))
            # Not with its cause, which has said the same.
            raise answers.unavailable(f"no answer: {said}") from None
        return answers.read(response.status_code, body)

    def _read(self, response: requests.Response) -> bytes:
        """Read the body of an answer, which has begun.

        The timeout of the session is one for each packet of it.
        """
        until = time.monotonic() + self._timeout
        body = b""
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > _MOST_BYTES:
                raise answers.unavailable(
                    f"an answer of more than {_MOST_BYTES} bytes"
                )
            if time.monotonic() > until:
                raise answers.unavailable(
                    f"an answer that has not ended after {self._timeout} "
                    "seconds"
                )
        return body


def _forget_retry_after(
    response: requests.Response, **_kwargs: Any
) -> requests.Response:
    """Let nobody wait for as long as an answer says.

    keystoneauth would, for a 503; with this it waits for
    ``status_code_retry_delay``.
    """
    response.headers.pop("Retry-After", None)
    return response
