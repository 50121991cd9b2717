# SPDX-License-Identifier: Apache-2.0
"""Options of the directory, where servers are looked up."""

from oslo_config import cfg

GROUP = "directory"

OPTS = [
    cfg.StrOpt(
        "driver",
        default="database",
        help="Where servers come from: the name of an entry point in the "
        "namespace console_api.directory. `database` means console_api's "
        "own tables, which `console-api-manage server` fills; `nova` asks "
        "Nova, see [nova]; `libvirt` asks libvirt on the compute hosts, see "
        "[libvirt]; `pipeline` is for the filter in Nova's pipeline, and asks "
        "that Nova as the caller.",
    ),
    cfg.FloatOpt(
        "cache_seconds",
        default=5,
        min=0,
        help="How many seconds what a driver has learned of a server is "
        "believed without asking again; so long a server can be shown that "
        "is gone. 0 means never. The drivers "
        "`database` and `pipeline` always ask.",
    ),
]
