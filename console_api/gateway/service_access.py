# SPDX-License-Identifier: Apache-2.0
"""Where another service is, and the token of the service user."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from keystoneauth1 import adapter, exceptions, loading
from keystoneauth1 import session as keystone_session
from oslo_config import cfg

from console_api import errors

# What wrong options raise.
_INVALID_OPTIONS = (
    exceptions.ClientException,
    cfg.Error,
    OSError,
    TypeError,
    ValueError,
)

# Seconds for which the headers of keystoneauth are used: it renews a token
# two minutes before it expires.
_LIFETIME = 60


class AuthenticationFailed(Exception):
    """Keystone issues no token, or its catalog lacks the service."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the service is, and the headers that identify the user."""

    endpoint: str
    headers: Mapping[str, str] = field(repr=False)
    valid_until: float


class ServiceAccess:
    """Authenticates the user of a group of keystoneauth's options.

    keystoneauth is synchronous, so it runs in a thread.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        group: str,
        register: Callable[[cfg.ConfigOpts], None],
    ) -> None:
        """Prepare; sends nothing yet.

        :param group: of the options
        :param register: registers them
        :raises ConfigurationError: an option is invalid
        """
        try:
            register(conf)
            self.timeout = float(conf[group].timeout or 0)
            auth = loading.load_auth_from_conf_options(conf, group)
            self._session = loading.load_session_from_conf_options(
                conf, group, auth=auth
            )
            self._adapter: adapter.Adapter = (
                loading.load_adapter_from_conf_options(
                    conf, group, session=self._session, auth=auth
                )
            )
            #: For connections to the service.
            self.tls = _tls_context(self._session)
        except _INVALID_OPTIONS as error:
            raise errors.ConfigurationError(
                f"[{group}] cannot send requests with these options: {error}"
            ) from error
        if auth is None:
            raise errors.ConfigurationError(
                f"[{group}] auth_type is not set. Set auth_type, auth_url and "
                "the options that this type requires."
            )
        if self.timeout <= 0:
            raise errors.ConfigurationError(
                f"[{group}] timeout must be greater than 0 seconds, not "
                f"{self.timeout:g}."
            )
        self._access: Access | None = None
        self._fetching: asyncio.Task[Access] | None = None

    async def get(self) -> Access:
        """Return a valid token; all callers wait for the same request.

        :raises AuthenticationFailed: Keystone does not issue one
        """
        now = asyncio.get_running_loop().time()
        if self._access is not None and now < self._access.valid_until:
            return self._access
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch())
            # Otherwise asyncio logs it if no caller waits any more.
            self._fetching.add_done_callback(
                lambda task: task.cancelled() or task.exception()
            )
        # A caller whose time is over does not end it for the others.
        return await asyncio.shield(self._fetching)

    async def _fetch(self) -> Access:
        valid_until = asyncio.get_running_loop().time() + _LIFETIME
        try:
            headers, endpoint = await asyncio.to_thread(self._authenticate)
        except Exception as error:  # noqa: BLE001 (plug-ins raise anything)
            raise AuthenticationFailed(
                f"no token of the service user: {error}"
            ) from None
        if not endpoint:
            raise AuthenticationFailed(
                "the service catalog has no endpoint of the service"
            )
        self._access = Access(endpoint.rstrip("/"), headers, valid_until)
        return self._access

    def _authenticate(self) -> tuple[Mapping[str, str], str | None]:
        return (
            dict(self._session.get_auth_headers() or {}),
            self._adapter.get_endpoint(),
        )

    def forget(self, access: Access) -> None:
        """Forget a token that was refused, unless there is a new one."""
        if self._access is access:
            self._access = None
            self._session.invalidate()


def _tls_context(session: keystone_session.Session) -> ssl.SSLContext:
    """Return the context that keystoneauth's options describe.

    :raises OSError: a file cannot be read
    """
    verify, certificate = session.verify, session.cert
    context = ssl.create_default_context(
        cafile=verify if isinstance(verify, str) else None
    )
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        files = (
            certificate if isinstance(certificate, tuple) else (certificate,)
        )
        context.load_cert_chain(*files)
    return context
