# SPDX-License-Identifier: Apache-2.0
"""Options of ``[vnc]`` that depend on the compute host of a display."""

import fnmatch
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from oslo_config import cfg

from console_api import errors
from console_api.net.dial import Target
from console_api.net.tls import ReloadingContext, load_certificate
from console_api.rfb.endpoint import Credentials

_T = TypeVar("_T")


class Endpoint(Protocol):
    """Where a display is."""

    @property
    def host(self) -> str:
        """A name or an address."""

    @property
    def port(self) -> int:
        """The TCP port."""

    @property
    def tls_port(self) -> int | None:
        """The TCP port with TLS from the first byte, if there is one."""

    @property
    def internal_access_path(self) -> str | None:
        """The path of an HTTP CONNECT request to send first, if any."""


@dataclass(frozen=True, slots=True)
class ComputeHostOptions:
    """How displays are connected to, by shell patterns of compute hosts.

    The first pattern that matches applies.
    """

    passwords: Sequence[tuple[str, str]]
    logins: Sequence[tuple[str, tuple[str, str]]]
    tls_required: Sequence[str]
    tls_verify_compute_host: Sequence[str]

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Read the options.

        :raises ConfigurationError: an option is invalid
        """
        options = conf.vnc
        return cls(
            [*map(_password, options.endpoint_password)],
            [*map(_login, options.endpoint_login)],
            options.endpoint_tls_required,
            options.endpoint_tls_verify_compute_host,
        )

    def credentials(self, compute_host: str | None) -> Credentials:
        """Return how to authenticate to the displays of a compute host."""
        return Credentials(
            _first_match(self.passwords, compute_host),
            _first_match(self.logins, compute_host),
        )

    def target(self, compute_host: str | None, endpoint: Endpoint) -> Target:
        """Return where the display behind an endpoint is."""
        names_compute_host = _matches(
            compute_host, self.tls_verify_compute_host
        )
        return Target(
            endpoint.host,
            endpoint.tls_port or endpoint.port,
            compute_host=compute_host,
            is_tls=endpoint.tls_port is not None,
            # The requirement may be meant for an unknown compute host too.
            is_tls_required=bool(self.tls_required)
            if compute_host is None
            else _matches(compute_host, self.tls_required),
            tls_name=compute_host if names_compute_host else None,
            path=endpoint.internal_access_path,
        )


def tls_context(conf: cfg.ConfigOpts) -> ReloadingContext:
    """Return how the certificates of compute hosts are verified.

    :raises ConfigurationError: an option is invalid
    """
    options = conf.vnc
    ca_file = options.endpoint_tls_ca_file
    certificate_file = options.endpoint_tls_cert_file
    key_file = options.endpoint_tls_key_file

    def create() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate_file:
            load_certificate(context, certificate_file, key_file)
        return context

    # Python reads the bundle of the system if there is no other.
    bundle = ca_file or ssl.get_default_verify_paths().cafile
    return ReloadingContext(
        "[vnc] endpoint_tls_ca_file, endpoint_tls_cert_file or "
        "endpoint_tls_key_file",
        [*filter(None, (bundle, certificate_file, key_file))],
        create,
    )


def _matches(compute_host: str | None, patterns: Iterable[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(compute_host or "", pattern)
        for pattern in patterns
    )


def _first_match(
    entries: Iterable[tuple[str, _T]], compute_host: str | None
) -> _T | None:
    for pattern, value in entries:
        if _matches(compute_host, [pattern]):
            return value
    return None


def _password(entry: str) -> tuple[str, str]:
    pattern, _, password = entry.partition(" ")
    if not (pattern and password):
        # Without the entry: it may be just a password.
        raise errors.ConfigurationError(
            "[vnc] endpoint_password must be a pattern of compute hosts, a "
            "space and the password."
        )
    return pattern, password


def _login(entry: str) -> tuple[str, tuple[str, str]]:
    pattern, _, login = entry.partition(" ")
    user_name, _, password = login.partition(" ")
    if not (pattern and user_name and password):
        # Without the entry, as above.
        raise errors.ConfigurationError(
            "[vnc] endpoint_login must be a pattern of compute hosts, a "
            "space, the user name, a space and the password."
        )
    return pattern, (user_name, password)
