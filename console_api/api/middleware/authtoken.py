# SPDX-License-Identifier: Apache-2.0
"""keystonemiddleware's filter, with a response to every Keystone failure."""

import logging
import re
import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import webob
import webob.exc
from keystoneauth1 import exceptions
from keystonemiddleware import auth_token
from oslo_config import cfg

from console_api import errors
from console_api.bulkhead import Bulkhead
from console_api.conf import middleware

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

LOG = logging.getLogger(__name__)

GROUP = "keystone_authtoken"

#: The name of the thread that checks memcached servers at the start.
MEMCACHED_CHECK = "memcached-check"

# A memcached server, as python-memcached accepts them.
_SERVER = re.compile(r"(?:inet6?:)?(?:\[(.+)\]|([^:]+))(?::([0-9]{1,5}))?")
_MEMCACHED_PORT = 11211

# What to do, by the exception that keystoneauth raised; the first match
# applies.
_ADVICE = (
    (
        exceptions.Unauthorized,
        "Keystone rejects the service user. Correct username, password, "
        "project and domains in [keystone_authtoken].",
    ),
    (
        exceptions.Forbidden,
        "The service user may not validate tokens. Assign it the role service "
        "in the project of [keystone_authtoken].",
    ),
    (
        exceptions.EndpointNotFound,
        "The catalog of Keystone has no such endpoint. Set interface, by "
        "default internal, or region_name in [keystone_authtoken] to one that "
        "the catalog has for the service type identity.",
    ),
    (
        Exception,
        "Check that Keystone is running and reachable at [keystone_authtoken] "
        "auth_url.",
    ),
)


class AuthTokenFilter(auth_token.AuthProtocol):  # type: ignore[misc]
    """Validates tokens, and responds 503 if Keystone cannot validate them.

    keystonemiddleware handles some failures of Keystone; the others would
    become unexpected errors of this service.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        conf: dict[str, object],
        bulkhead: Bulkhead,
    ) -> None:
        """Wrap an application.

        :param bulkhead: the limit on requests that wait for Keystone
        :raises ImportError: the memcached client is not installed
        """
        super().__init__(app, conf)
        # Called if a token is not in the cache.
        keystone = self._identity_server
        keystone.verify_token = bulkhead.slot()(keystone.verify_token)
        if not self._conf.get("cache"):
            # Not in the thread of the first request: the client imports
            # eventlet if it is installed, and a thread that did so keeps the
            # worker from exiting.
            self._token_cache.initialize({})

    def process_request(self, request: webob.Request) -> webob.Response | None:
        """Put the identity of the caller into the headers of a request.

        :raises HTTPUnauthorized: the token is not valid
        :raises HTTPServiceUnavailable: Keystone cannot validate the token
        """
        try:
            response: webob.Response | None = super().process_request(request)
        except webob.exc.HTTPServiceUnavailable as error:
            _log(error.__context__ or error)
            raise
        except webob.exc.HTTPException:
            raise
        except errors.Overloaded as error:
            raise webob.exc.HTTPServiceUnavailable from error
        except Exception as error:
            _log(error)
            raise webob.exc.HTTPServiceUnavailable from error
        return response


def make(app: "WSGIApplication", conf: cfg.ConfigOpts) -> AuthTokenFilter:
    """Create the filter with our configuration and defaults.

    A memcached server that cannot be reached is logged.

    :raises ConfigurationError: an option in ``[keystone_authtoken]`` is
        missing or wrong
    """
    for name, options in auth_token.list_opts():
        conf.register_opts(options, group=name)
    for option, value in middleware.AUTHTOKEN_DEFAULTS.items():
        conf.set_default(option, value, group=GROUP)
    group = conf[GROUP]
    if not (group.auth_type or group.auth_section):
        raise errors.ConfigurationError(
            f"[{GROUP}] auth_type is not set. Set it, auth_url, and the "
            "credentials that the type requires."
        )
    try:
        made = AuthTokenFilter(
            app,
            {"oslo_config_config": conf},
            Bulkhead("Keystone", conf.api.max_slow_requests),
        )
    except ImportError as error:
        if not group.memcached_servers:
            raise
        raise errors.ConfigurationError(
            f"[{GROUP}] memcached_servers: {error}. Install console-api with "
            "the extra memcached (for TLS or SASL also the package "
            "python-binary-memcached), or remove the option."
        ) from error
    except (
        auth_token.ConfigurationError,
        cfg.Error,
        exceptions.ClientException,
    ) as error:
        raise errors.ConfigurationError(f"[{GROUP}]: {error}") from error
    if group.memcached_servers:
        # Resolving names can take longer than a worker may take to start.
        threading.Thread(
            target=_check_memcached,
            args=(
                group.memcached_servers,
                group.memcache_pool_socket_timeout,
            ),
            name=MEMCACHED_CHECK,
            daemon=True,
        ).start()
    return made


def _check_memcached(servers: Sequence[str], timeout: float) -> None:
    """Warn about memcached servers that cannot be reached at the start.

    The client library ignores servers that do not answer, without a trace.
    """
    for server in servers:
        match = _SERVER.fullmatch(server)
        if match is None:
            # A Unix socket.
            continue
        address = match[1] or match[2], int(match[3] or _MEMCACHED_PORT)
        try:
            socket.create_connection(address, timeout).close()
        except (OSError, ValueError) as error:
            LOG.warning(
                "[%s] memcached_servers: %s cannot be reached (%s). Tokens "
                "whose entries are on this server are validated with Keystone "
                "in each request.",
                *(GROUP, server, getattr(error, "strerror", None) or error),
            )


def _log(error: BaseException) -> None:
    causes = [error]
    while causes[-1].__context__ is not None:
        causes.append(causes[-1].__context__)
    advice = next(
        text
        for kind, text in _ADVICE
        if any(isinstance(cause, kind) for cause in causes)
    )
    LOG.error(
        "Keystone cannot validate tokens (%s: %.200s). %s",
        type(error).__name__,
        error,
        advice,
    )
