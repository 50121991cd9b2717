# SPDX-License-Identifier: Apache-2.0
"""Options of connections to other services, which are keystoneauth's.

They are registered when the client is created, because only some programs
require that library.
"""

from collections.abc import Mapping

from keystoneauth1 import loading
from oslo_config import cfg


def register(
    conf: cfg.ConfigOpts, group: str, defaults: Mapping[str, object]
) -> None:
    """Register the options, except those of the ``auth_type``.

    keystoneauth registers these when it loads the plug-in.

    :param defaults: by option, where they differ from keystoneauth's
    """
    conf.register_opts(_options(defaults), group=group)
    loading.register_auth_conf_options(conf, group)


def list_opts(defaults: Mapping[str, object]) -> list[cfg.Opt]:
    """Return the options, including those of password authentication."""
    return [
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options("v3password"),
        *_options(defaults),
    ]


def _options(defaults: Mapping[str, object]) -> list[cfg.Opt]:
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
    cfg.set_defaults(options, **defaults)
    return options
