# SPDX-License-Identifier: Apache-2.0
"""Options of the pipeline without authentication."""

from oslo_config import cfg

GROUP = "noauth2"

OPTS = [
    cfg.BoolOpt(
        "allow_remote",
        default=False,
        help="Serve clients on other machines, although they are not "
        "authenticated: anyone who can reach the port is an administrator. If "
        "false, only direct connections from a loopback address are served, "
        "and only with a Host header of localhost or a loopback address.",
    ),
]
