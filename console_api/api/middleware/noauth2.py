# SPDX-License-Identifier: Apache-2.0
"""No authentication: callers choose their identity."""

import functools
import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from console_api.api import faults

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

ADMIN = "admin"
_ADMIN_ROLES = "admin,manager,member,reader"
_OTHER_ROLES = "member,reader"

# The length of user IDs and project IDs in the database.
_MAX_LENGTH = 255

# Headers that only an authentication filter may set.
_IDENTITY_HEADERS = (
    "HTTP_X_USER",
    "HTTP_X_PROJECT",
    "HTTP_X_TENANT",
    "HTTP_X_DOMAIN",
    "HTTP_X_SERVICE",
    "HTTP_X_IDENTITY",
    "HTTP_X_IS_ADMIN_PROJECT",
    "HTTP_X_ROLE",
    "HTTP_OPENSTACK_SYSTEM_SCOPE",
)

# Proxies send these, so REMOTE_ADDR is not the address of the caller.
_PROXY_HEADERS = frozenset(
    {
        "HTTP_CF_CONNECTING_IP",
        "HTTP_CLIENT_IP",
        "HTTP_FORWARDED",
        "HTTP_TRUE_CLIENT_IP",
        "HTTP_VIA",
        "HTTP_X_CLIENT_IP",
        "HTTP_X_CLUSTER_CLIENT_IP",
        "HTTP_X_FORWARDED",
        "HTTP_X_FORWARDED_BY",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PORT",
        "HTTP_X_FORWARDED_PREFIX",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_FORWARDED_SCHEME",
        "HTTP_X_FORWARDED_SERVER",
        "HTTP_X_FORWARDED_SSL",
        "HTTP_X_ORIGINAL_FORWARDED_FOR",
        "HTTP_X_ORIGINAL_HOST",
        "HTTP_X_ORIGINAL_URI",
        "HTTP_X_ORIGINAL_URL",
        "HTTP_X_REAL_IP",
        "HTTP_X_SCHEME",
    }
)

# By default, nginx forwards requests with this version. Clients have used
# later ones for decades.
_VERSION_OF_PROXIES = "HTTP/1.0"

# A Host header: a name or an address (IPv6 in brackets), optionally a port.
_HOST = re.compile(r"(?:\[(.+)\]|([^:]+))(?::([0-9]*))?")

_DEFAULT_PORTS = {"http": "80", "https": "443"}


class NoAuth2Filter:
    """Accepts ``X-Auth-Token: USER:PROJECT`` as the identity of the caller.

    The user ``admin`` has the roles admin, manager, member and reader, other
    users have member and reader; ``X-Roles`` overrides the roles.
    """

    def __init__(self, app: "WSGIApplication", *, allow_remote: bool) -> None:
        """Wrap an application.

        :param allow_remote: serve callers on other machines too
        """
        self._app = app
        self._allow_remote = allow_remote

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Identify the caller of a request, or refuse it."""
        try:
            if not self._allow_remote:
                _check_local(environ)
            _identify(environ)
        except faults.Fault as fault:
            return faults.from_error(fault).send(environ, start_response)
        return self._app(environ, start_response)


def _check_local(environ: "WSGIEnvironment") -> None:
    """Refuse a request that may come from another machine.

    A proxy on this machine that leaves no trace cannot be recognized.
    """
    if (
        not _PROXY_HEADERS.isdisjoint(environ)
        or environ.get("SERVER_PROTOCOL") == _VERSION_OF_PROXIES
        or not _is_loopback(environ.get("REMOTE_ADDR", ""))
        or not _names_service(
            environ.get("HTTP_HOST", ""),
            environ["SERVER_PORT"],
            environ["wsgi.url_scheme"],
        )
    ):
        raise faults.Fault(
            403,
            "Without authentication, only direct requests from this machine "
            "to localhost or 127.0.0.1 and the port of this service are "
            "served. Set [api] auth_strategy to keystone, or [noauth2] "
            "allow_remote to true.",
        )


@functools.lru_cache(maxsize=256)
def _names_service(host: str, port: str, scheme: str) -> bool:
    """Return whether a Host header names this machine and port.

    Any other name or port is one that a proxy serves, or a name that a web
    page has rebound to the loopback address.
    """
    match = _HOST.fullmatch(host)
    if match is None or (match[3] or _DEFAULT_PORTS.get(scheme)) != port:
        return False
    name = match[1] or match[2]
    return name.lower() == "localhost" or _is_loopback(name)


@functools.lru_cache(maxsize=256)
def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        # A Unix socket has no address; its other end is usually a proxy.
        return False
    # A dual-stack socket shows IPv4 callers in this form.
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _identify(environ: "WSGIEnvironment") -> None:
    user, _colon, project = environ.get("HTTP_X_AUTH_TOKEN", "").partition(":")
    if not (0 < len(user) <= _MAX_LENGTH and 0 < len(project) <= _MAX_LENGTH):
        raise faults.Fault(
            401,
            "Send X-Auth-Token: USER:PROJECT to identify yourself.",
        )
    roles = environ.get("HTTP_X_ROLES")
    for header in [
        name for name in environ if name.startswith(_IDENTITY_HEADERS)
    ]:
        del environ[header]
    if roles is None:
        roles = _ADMIN_ROLES if user == ADMIN else _OTHER_ROLES
    environ["HTTP_X_IDENTITY_STATUS"] = "Confirmed"
    environ["HTTP_X_USER_ID"] = user
    environ["HTTP_X_PROJECT_ID"] = project
    environ["HTTP_X_ROLES"] = roles
