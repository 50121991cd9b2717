# SPDX-License-Identifier: Apache-2.0
"""keystonemiddleware's filter, with an answer for whatever Keystone does."""

import logging
from typing import TYPE_CHECKING, Any

import webob.exc
from keystoneauth1 import exceptions
from keystonemiddleware import auth_token
from oslo_config import cfg

from console_api import errors
from console_api.conf import middleware

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

LOG = logging.getLogger(__name__)

GROUP = "keystone_authtoken"

# By what Keystone has answered us; the first match counts.
_ADVICE = (
    (
        exceptions.Unauthorized,
        "It refuses the service user. Correct username, password, project "
        "and domains in [keystone_authtoken].",
    ),
    (
        exceptions.Forbidden,
        "The service user may not ask. Give it the role service in the "
        "project of [keystone_authtoken].",
    ),
    (
        Exception,
        "See whether Keystone works and [keystone_authtoken] auth_url leads "
        "to it.",
    ),
)


class AuthTokenFilter(auth_token.AuthProtocol):  # type: ignore[misc]
    """Says whose token it is, or that Keystone cannot be asked.

    keystonemiddleware expects some failures of Keystone; all others would
    be unexpected errors of ours.
    """

    def __init__(self, app: "WSGIApplication", conf: dict[str, Any]) -> None:
        """Wrap an application.

        :raises ImportError: the client of memcached is not installed
        """
        super().__init__(app, conf)
        if not self._conf.get("cache"):
            # Not in the thread of the first request: the client imports
            # eventlet where that is installed, and a thread that has done
            # so keeps the worker from ending.
            self._token_cache.initialize({})

    def process_request(self, request: Any) -> Any:
        """Identify the caller in the headers of a request.

        :raises HTTPUnauthorized: the token is not good
        :raises HTTPServiceUnavailable: Keystone does not say
        """
        try:
            return super().process_request(request)
        except webob.exc.HTTPServiceUnavailable as error:
            _log(error.__context__ or error)
            raise
        except webob.exc.HTTPException:
            raise
        except Exception as error:
            _log(error)
            raise webob.exc.HTTPServiceUnavailable from error


def make(app: "WSGIApplication", conf: cfg.ConfigOpts) -> AuthTokenFilter:
    """Make the filter on our own configuration, with our own defaults.

    :raises ConfigurationError: something has to be changed first
    """
    for name, options in auth_token.list_opts():
        conf.register_opts(options, group=name)
    for option, value in middleware.AUTHTOKEN_DEFAULTS.items():
        conf.set_default(option, value, group=GROUP)
    group = conf[GROUP]
    if not (group.auth_type or group.auth_section):
        raise errors.ConfigurationError(
            f"[{GROUP}] auth_type is not set. Say how to reach Keystone: "
            "auth_type, auth_url and what that type asks for."
        )
    try:
        return AuthTokenFilter(app, {"oslo_config_config": conf})
    except ImportError as error:
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
        "Keystone cannot be asked whose token it is (%s: %.200s). %s",
        type(error).__name__,
        error,
        advice,
    )
