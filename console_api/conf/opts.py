# SPDX-License-Identifier: Apache-2.0
"""Entry points for the tools of oslo.config: generator and validator."""

from keystonemiddleware import auth_token
from oslo_config import cfg
from oslo_middleware import cors
from oslo_middleware.healthcheck.opts import HEALTHCHECK_OPTS
from oslo_policy import opts as policy_opts

from console_api import conf
from console_api.conf import gateway_api, middleware, nova, policy, xvp


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Return our options by group; libraries list their own."""
    return [
        *((group.GROUP, list(group.OPTS)) for group in conf.GROUPS),
        (xvp.POOL_GROUP.format("name"), list(xvp.POOL_OPTS)),
        (gateway_api.GROUP, gateway_api.list_opts()),
        (nova.GROUP, nova.list_opts()),
    ]


def set_defaults() -> None:
    """Let the tools show our defaults for options of other projects."""
    cors.set_defaults(**middleware.DEFAULTS["cors"])
    cfg.set_defaults(HEALTHCHECK_OPTS, **middleware.DEFAULTS["healthcheck"])
    for _, options in auth_token.AUTH_TOKEN_OPTS:
        cfg.set_defaults(options, **middleware.AUTHTOKEN_DEFAULTS)
    policy_opts.set_defaults(
        cfg.ConfigOpts(), remote_timeout=policy.REMOTE_TIMEOUT
    )
