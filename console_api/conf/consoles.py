# SPDX-License-Identifier: Apache-2.0
"""Options of the consoles of servers."""

from oslo_config import cfg, types

from console_api import values

GROUP = "consoles"

OPTS = [
    cfg.ListOpt(
        "types",
        default=list(values.CONSOLE_HOST_TYPES),
        item_type=types.String(max_length=values.MAX_CONSOLE_TYPE_LENGTH),
        help="The console types to make, the preferred one first. A create "
        "makes the first of them that a console host offers for the "
        "server's compute host, if it is enabled and up.",
    ),
    cfg.IntOpt(
        "host_down_time",
        default=60,
        min=1,
        help="How many seconds after its agent was last seen a console host "
        "is down: it gets no new consoles until it is seen again. Must be "
        "more than [agent] report_interval on the console hosts. Consoles "
        "that it has already stay as they are.",
    ),
]
