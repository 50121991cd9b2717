# SPDX-License-Identifier: Apache-2.0
"""Requests to Nova's API: each returns a document or raises an error."""

import functools
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
from console_api.directory.calls import AbandonableCalls
from console_api.directory.nova import responses

#: Nova 15 and later; returns connection info for every console type.
MICROVERSION = "2.31"

# What wrong options raise.
_INVALID_OPTIONS = (
    exceptions.ClientException,
    cfg.Error,
    TypeError,
    ValueError,
)


class _InvalidResponse(Exception):
    """A response cannot be read."""


# What is raised when there is no response in time, and when there is none.
_TIMED_OUT = (TimeoutError, urllib3.exceptions.ReadTimeoutError)
_NO_RESPONSE = (
    _InvalidResponse,
    exceptions.ClientException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
)

# More than a process has threads that wait for a response.
_MAX_PENDING_REQUESTS = 100

# Far more than Nova's description of a server has.
_MAX_BODY_LENGTH = 2**20

_CHUNK_SIZE = 2**16

# The secret part of a path that any error message may contain.
_TOKEN = re.compile(r"(?<=/os-console-auth-tokens/)[^\s:/?'\")]+")


def _hide_token(record: logging.LogRecord) -> bool:
    record.msg, record.args = _TOKEN.sub("***", record.getMessage()), ()
    return True


# keystoneauth logs each retry, with its reason, at level WARNING.
_RETRIES = logging.getLogger(f"{__name__}.retries")
_RETRIES.addFilter(_hide_token)


class NovaClient:
    """Send requests as the service user of ``[nova]``; safe for threads."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Prepare a session for all requests; sends nothing yet.

        :raises ConfigurationError: an option of ``[nova]`` is invalid
        """
        try:
            nova.register(conf)
            self._timeout = conf[nova.GROUP].timeout
            self._calls = AbandonableCalls("nova", _MAX_PENDING_REQUESTS)
            auth = loading.load_auth_from_conf_options(conf, nova.GROUP)
            session = loading.load_session_from_conf_options(
                conf, nova.GROUP, auth=auth
            )
            for prefix, mounted in list(session.session.adapters.items()):
                session.session.mount(prefix, _WithoutRetries(mounted))
            self._adapter: adapter.Adapter = (
                loading.load_adapter_from_conf_options(
                    conf, nova.GROUP, session=session, auth=auth
                )
            )
        except _INVALID_OPTIONS as error:
            raise errors.ConfigurationError(
                f"[nova] cannot send requests with these options: {error}"
            ) from error
        if auth is None:
            raise errors.ConfigurationError(
                "[nova] auth_type is not set. Set auth_type, auth_url and the "
                "options that this type requires."
            )
        override = conf[nova.GROUP].endpoint_override or ""
        if set("%$") & set(override):
            # keystoneauth replaces such variables in each request.
            raise errors.ConfigurationError(
                "[nova] endpoint_override must not contain variables such as "
                f"%(tenant_id)s: {override}. Write the whole URL of version "
                "2.1, such as https://nova.example.org/v2.1"
            )
        if self._timeout <= 0:
            raise errors.ConfigurationError(
                f"[nova] timeout must be greater than 0 seconds, not "
                f"{self._timeout}."
            )

    def get(
        self, path: str, microversion: str = MICROVERSION
    ) -> Mapping[str, Any]:
        """Return the document of a resource.

        :param path: below the endpoint of Nova's API
        :raises Refusal: Nova responded with a fault that means something
        :raises TimedOut: there is no complete response within ``[nova]
            timeout``
        :raises DirectoryUnavailable: there is no response, or an invalid one
        """
        return self._send("GET", path, microversion=microversion)

    def post(
        self, path: str, body: object, microversion: str = MICROVERSION
    ) -> Mapping[str, Any]:
        """Create a resource, and return its document; see ``get``."""
        return self._send("POST", path, microversion=microversion, json=body)

    def _send(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        # The timeout of the session applies to each packet only, and not to
        # the resolution of names.
        call = self._calls.start(
            functools.partial(self._exchange, method, path, **kwargs)
        )
        try:
            status, body = call.result(self._timeout)
        except _TIMED_OUT:
            raise responses.timed_out(self._timeout) from None
        except _NO_RESPONSE as error:
            reason = _TOKEN.sub("***", str(error))
            # Without the cause, whose text contains the token.
            raise responses.unavailable(f"no response: {reason}") from None
        return responses.read(status, body)

    def _exchange(
        self, method: str, path: str, **kwargs: Any
    ) -> tuple[int, bytes]:
        """Send a request; return status and body of the response."""
        deadline = time.monotonic() + self._timeout
        response = self._adapter.request(
            path,
            method,
            raise_exc=False,
            # Log lines would contain the tokens in paths and bodies.
            log=False,
            logger=_RETRIES,
            # The target would receive the token of the service user.
            redirect=False,
            # Otherwise the whole body is read, however long that takes.
            stream=True,
            hooks={"response": _ignore_retry_after},
            # Our own filter in Nova's pipeline would look it up again.
            headers={"Accept": "application/json", SKIP_FILTER: "1"},
            **kwargs,
        )
        with response:
            return response.status_code, _read(response, deadline)


class _WithoutRetries(requests.adapters.BaseAdapter):
    """Sends requests with another adapter; a timeout is not retried.

    keystoneauth retries after a timeout as after a refused connection, and so
    multiplies it.
    """

    def __init__(self, adapter: requests.adapters.BaseAdapter) -> None:
        super().__init__()
        self._adapter = adapter

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        try:
            return self._adapter.send(request, *args, **kwargs)
        except requests.Timeout as error:
            raise TimeoutError from error

    def close(self) -> None:
        self._adapter.close()


def _read(response: requests.Response, deadline: float) -> bytes:
    """Return the body of a response.

    :param deadline: in monotonic time
    :raises TimeoutError: it is incomplete at the deadline
    """
    body = b""
    while chunk := response.raw.read1(_CHUNK_SIZE, decode_content=True):
        body += chunk
        if len(body) > _MAX_BODY_LENGTH:
            raise _InvalidResponse(f"more than {_MAX_BODY_LENGTH} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError
    return body


def _ignore_retry_after(
    response: requests.Response, **_kwargs: Any
) -> requests.Response:
    """Remove the header Retry-After.

    keystoneauth would wait as long as it says before it retries after a 503;
    without it, it waits for ``status_code_retry_delay``.
    """
    response.headers.pop("Retry-After", None)
    return response
