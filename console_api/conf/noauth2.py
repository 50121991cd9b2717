# SPDX-License-Identifier: Apache-2.0
"""Options of the no-authentication pipeline."""

from oslo_config import cfg

GROUP = "noauth2"

OPTS = [
    cfg.BoolOpt(
        "allow_remote",
        default=False,
        help="Serve callers on other machines too, although nobody checks "
        "who they are: whoever reaches the port is an administrator. Without "
        "it, only direct callers on a loopback address are served, and only "
        "if their Host header is localhost or a loopback address.",
    ),
]
