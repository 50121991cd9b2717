# SPDX-License-Identifier: Apache-2.0
"""Options of xvp, the XenServer VNC Proxy, on a console host."""

from oslo_config import cfg, types

GROUP = "xvp"

#: The options of each pool are in a group of this name and the pool's.
POOL_GROUP = "xvp_pool:{}"

OPTS = [
    cfg.ListOpt(
        "pools",
        default=[],
        help="Names of the XenServer or XCP-ng pools whose servers get "
        "consoles from this console host. Each pool has its own section, "
        "[xvp_pool:NAME]. A name must have at most 79 characters and must not "
        "contain a colon. Only agents with the driver `xvp` use this group.",
    ),
    cfg.StrOpt(
        "binary",
        default="xvp",
        help="Path of the xvp program, or its name if it is in PATH.",
    ),
    cfg.StrOpt(
        "state_dir",
        default="/var/lib/console_api/xvp",
        help="Folder of xvp.conf, xvp.pid and xvp.log. If it is missing, it "
        "is created with access for this user only. Each agent needs its own "
        "folder: when an agent starts, it takes over or terminates the xvp "
        "whose log is in this folder.",
    ),
    cfg.FloatOpt(
        "reload_interval",
        default=0.5,
        min=0,
        help="Minimum interval, in seconds, between reloads of xvp. Changes "
        "within the interval are applied together. A reload may end all "
        "sessions if a viewer connects at the same moment. A higher value "
        "makes that less likely, but delays new consoles.",
    ),
    cfg.FloatOpt(
        "start_timeout",
        default=10.0,
        min=0.1,
        help="Timeout, in seconds, for xvp to open all its ports after a "
        "start or reload, and to exit. After that, it is killed.",
    ),
]

POOL_OPTS = [
    cfg.StrOpt(
        "domain",
        default="",
        help="DNS domain of the pool's hosts, if any; at most 79 characters.",
    ),
    cfg.StrOpt(
        "manager_user",
        default="root",
        help="User name for logging in to the pool's hosts; at most 32 "
        "characters.",
    ),
    cfg.StrOpt(
        "manager_password",
        secret=True,
        help="Password of that user, required: 1 to 16 bytes, which is the "
        "limit of xvp. Write `$` as `$$`.",
    ),
    cfg.ListOpt(
        "hosts",
        default=[],
        help="Hosts of the pool, at least one, in the form `NAME`, which must "
        "be resolvable, or `NAME=ADDRESS` with an IPv4 address.",
    ),
    cfg.ListOpt(
        "compute_hosts",
        default=["*"],
        item_type=types.String(),
        help="Shell patterns that match the compute hosts of this pool. If "
        "several pools match a compute host, the first one in [xvp] pools is "
        "used.",
    ),
]
