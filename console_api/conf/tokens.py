# SPDX-License-Identifier: Apache-2.0
"""Options of console auth tokens."""

from oslo_config import cfg

GROUP = "tokens"

OPTS = [
    cfg.IntOpt(
        "ttl",
        default=600,
        min=1,
        help="Lifetime, in seconds, of a console auth token. Looking it up "
        "does not extend it.",
    ),
    cfg.BoolOpt(
        "single_use",
        default=False,
        help="Whether a console auth token opens only one session through the "
        "gateway. The browser that opened it can resume it. Other proxies "
        "cannot look up a token that was used, but do not use it up. By "
        "default, as in Nova, a token can be used until it expires.",
    ),
]
