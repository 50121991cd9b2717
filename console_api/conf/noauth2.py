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
        "and only with a Host header of localhost or a loopback address and "
        "the port of the service. Requests with any sign of a proxy are "
        "refused: its headers, HTTP/1.0, or a Unix socket. A proxy that "
        "leaves no such sign cannot be recognized, so do not put any in "
        "front of the service.",
    ),
]
