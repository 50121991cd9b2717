# SPDX-License-Identifier: Apache-2.0
"""Options of the directory `nova`: how to connect to Nova.

They are those of keystoneauth, with different defaults.  They are registered
when the driver is loaded, because only the driver requires that library.
"""

from keystoneauth1 import loading
from oslo_config import cfg

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
    """Register the options, except those of the ``auth_type``.

    keystoneauth registers these when it loads the plug-in.
    """
    conf.register_opts(_options(), group=GROUP)
    loading.register_auth_conf_options(conf, GROUP)


def list_opts() -> list[cfg.Opt]:
    """Return the options, including those of password authentication."""
    return [
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options("v3password"),
        *_options(),
    ]


def _options() -> list[cfg.Opt]:
    options = [
        *(
            # An integer before keystoneauth 5.14.
            cfg.FloatOpt(option.name, help=option.help)
            if option.dest == "timeout"
            else option
            for option in loading.get_session_conf_options()
        ),
        *loading.get_adapter_conf_options(include_deprecated=False),
    ]
    cfg.set_defaults(options, **DEFAULTS)
    return options
