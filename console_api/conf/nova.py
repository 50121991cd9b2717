# SPDX-License-Identifier: Apache-2.0
"""Options of connections to Nova: those of keystoneauth.

The directory `nova` uses them, and gateways with `sessions = local`.
"""

from oslo_config import cfg

from console_api.conf import service_clients

GROUP = "nova"

#: Defaults.  The timeout, in seconds, applies to a whole request with its
#: retries.
DEFAULTS = {
    "timeout": 10,
    "service_type": "compute",
    "valid_interfaces": ["internal", "public"],
    "connect_retries": 1,
    "connect_retry_delay": 0.5,
    "status_code_retries": 1,
    "status_code_retry_delay": 0.5,
}


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options; see ``service_clients.register``."""
    service_clients.register(conf, GROUP, DEFAULTS)


def list_opts() -> list[cfg.Opt]:
    """Return the options, including those of password authentication."""
    return service_clients.list_opts(DEFAULTS)
