# SPDX-License-Identifier: Apache-2.0
"""Options of the consoles of servers."""

from oslo_config import cfg, types

GROUP = "consoles"

OPTS = [
    cfg.ListOpt(
        "types",
        default=["vnc", "vnc+xvp"],
        item_type=types.String(max_length=32),
        help="The console types to make, the preferred one first. A create "
        "makes the first of them that an enabled console host offers for "
        "the server's compute host.",
    ),
]
