# SPDX-License-Identifier: Apache-2.0
"""Options of the directory, where servers are looked up."""

from oslo_config import cfg

GROUP = "directory"

OPTS = [
    cfg.StrOpt(
        "driver",
        default="database",
        help="Where servers are looked up: the name of an entry point in the "
        "namespace console_api.directory. `database` uses console_api's own "
        "tables, where `console-api-manage server` registers servers; `nova` "
        "uses Nova's API, see [nova]; `libvirt` uses libvirt on the compute "
        "hosts, see [libvirt]; `pipeline` is for the filter in Nova's "
        "pipeline, and uses the Nova behind the filter as the caller.",
    ),
    cfg.FloatOpt(
        "cache_seconds",
        default=5,
        min=0,
        help="Time, in seconds, for which a server is cached. For that time, "
        "a deleted server can still be shown, a server that did not exist "
        "stays unknown, and a token still leads to where its server was "
        "before it moved. 0 disables the cache. The "
        "drivers `database` and `pipeline` have no cache.",
    ),
]
