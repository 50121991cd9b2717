# SPDX-License-Identifier: Apache-2.0
"""Options of connections from a gateway to the API: keystoneauth's."""

from oslo_config import cfg

from console_api.conf import service_clients

GROUP = "gateway_api"

#: Defaults.  The timeout, in seconds, applies to a whole request.
DEFAULTS = {
    "timeout": 5,
    "service_type": "console",
    "valid_interfaces": ["internal", "public"],
}


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options; see ``service_clients.register``."""
    service_clients.register(conf, GROUP, DEFAULTS)


def list_opts() -> list[cfg.Opt]:
    """Return the options, including those of password authentication."""
    return service_clients.list_opts(DEFAULTS)
