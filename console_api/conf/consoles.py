# SPDX-License-Identifier: Apache-2.0
"""Options of consoles."""

from oslo_config import cfg, types

from console_api import values

GROUP = "consoles"

OPTS = [
    cfg.ListOpt(
        "types",
        default=list(values.CONSOLE_HOST_TYPES),
        item_type=types.String(max_length=values.MAX_CONSOLE_TYPE_LENGTH),
        help="The console types to create, in order of preference. A request "
        "creates a console of the first type for which a console host serves "
        "the server's compute host and is enabled and up or, if none is up, "
        "failing. The agent's drivers serve vnc and vnc+xvp; the driver of "
        "any other type must be installed on the machines of the API, too.",
    ),
    cfg.IntOpt(
        "host_down_time",
        default=60,
        min=1,
        help="Time, in seconds, since the last report of its agent after "
        "which a console host is down. It gets no new consoles until the "
        "agent reports again; its existing consoles are kept, and moved to "
        "another console host only when they are created again. Must be "
        "greater than [agent] report_interval on the console hosts.",
    ),
    cfg.IntOpt(
        "lifetime",
        default=0,
        min=0,
        max=10 * 365 * 86400,
        help="Time, in seconds, after which a console expires with its "
        "password. Its port is closed, which ends its sessions, and a new "
        "request creates another console. Applies to consoles that are "
        "created while it is set. 0 means that consoles do not expire.",
    ),
]
