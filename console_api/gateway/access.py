# SPDX-License-Identifier: Apache-2.0
"""Where the gateway may be used from: options that can be reloaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from oslo_config import cfg

from console_api import errors
from console_api.gateway.origins import Origins
from console_api.gateway.proxies import TrustedProxies


@dataclass(frozen=True, slots=True)
class Access:
    """Pages that may use the gateway, and proxies in front of it.

    ``frame_ancestors`` are the origins whose pages may show the gateway's
    page in a frame, ``origins`` those whose pages may open WebSockets.
    ``prelude_proxies`` begin connections with the PROXY protocol; None if it
    is not in use.
    """

    frame_ancestors: Sequence[str]
    origins: Origins
    proxies: TrustedProxies
    prelude_proxies: TrustedProxies | None

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Read the options.

        :raises ConfigurationError: one of them is invalid
        """
        options = conf.gateway
        try:
            origins = Origins(options.allowed_origins or ())
            proxies = TrustedProxies(options.trusted_proxies or ())
        except ValueError as error:
            raise errors.ConfigurationError(
                "[gateway] trusted_proxies or allowed_origins is invalid: "
                f"{error}."
            ) from error
        return cls(
            options.frame_ancestors or (),
            origins,
            proxies,
            proxies if options.proxy_protocol else None,
        )
