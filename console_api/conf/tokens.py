# SPDX-License-Identifier: Apache-2.0
"""Options of console auth tokens."""

from oslo_config import cfg

GROUP = "tokens"

OPTS = [
    cfg.IntOpt(
        "ttl",
        default=600,
        min=1,
        help="How many seconds a console auth token is valid after it was "
        "issued. Looking it up does not prolong it.",
    ),
]
