# SPDX-License-Identifier: Apache-2.0
"""Security types that viewers are offered."""

import ssl
from dataclasses import dataclass
from typing import Self

from oslo_config import cfg

from console_api import errors
from console_api.net.tls import ReloadingContext, load_certificate
from console_api.rfb.handshake import VENCRYPT, VNC


@dataclass(frozen=True, slots=True)
class Security:
    """How viewers authenticate: the types, and the certificate for TLS."""

    types: tuple[int, ...] = (VNC,)
    tls: ReloadingContext | None = None

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Read the options of ``[vnc]``.

        :raises ConfigurationError: an option or a file is invalid
        """
        options = conf.vnc
        if options.tls_cert_file is None:
            if options.tls_required or options.tls_key_file is not None:
                raise errors.ConfigurationError(
                    "[vnc] tls_required and tls_key_file need [vnc] "
                    "tls_cert_file, the certificate of the console ports."
                )
            return cls()
        types = (VENCRYPT,) if options.tls_required else (VENCRYPT, VNC)
        return cls(types, _tls(options.tls_cert_file, options.tls_key_file))


def _tls(certificate_file: str, key_file: str | None) -> ReloadingContext:
    def create() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        # Viewers do not resume sessions, and TigerVNC's waits forever if the
        # challenge arrives together with a ticket of TLS 1.3.
        context.num_tickets = 0
        load_certificate(context, certificate_file, key_file)
        return context

    return ReloadingContext(
        "[vnc] tls_cert_file or tls_key_file",
        [*filter(None, (certificate_file, key_file))],
        create,
    )
