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
        help="The names of the XenServer or XCP-ng pools whose servers get "
        "consoles from this console host. Each has a section of its own, "
        "[xvp_pool:NAME]. A name has at most 79 characters and no colon. "
        "Only agents whose driver is `xvp` read this group.",
    ),
    cfg.StrOpt(
        "binary",
        default="xvp",
        help="The xvp program: a path, or a name that is looked for in PATH.",
    ),
    cfg.StrOpt(
        "state_dir",
        default="/var/lib/console_api/xvp",
        help="The folder of xvp.conf, xvp.pid and xvp.log. Made, for this "
        "user only, when it is not there. Each agent needs one of its own: "
        "an xvp that runs on this folder's xvp.conf is ended when the agent "
        "starts.",
    ),
    cfg.FloatOpt(
        "reload_interval",
        default=0.5,
        min=0,
        help="How many seconds there are at least between two changes of "
        "what xvp serves. Changes in between are made together. A change may "
        "end all sessions, when a viewer connects in that very moment; a "
        "greater value makes that rarer and new consoles later.",
    ),
    cfg.FloatOpt(
        "start_timeout",
        default=10.0,
        min=0.1,
        help="How many seconds xvp may take to open all its ports, after a "
        "start or a change, and to end. Then it is killed.",
    ),
]

POOL_OPTS = [
    cfg.StrOpt(
        "domain",
        default="",
        help="The DNS domain of the pool's hosts, if they have one. Less than "
        "80 characters.",
    ),
    cfg.StrOpt(
        "manager_user",
        default="root",
        help="The user that xvp logs in to the pool's hosts as. At most 32 "
        "characters.",
    ),
    cfg.StrOpt(
        "manager_password",
        secret=True,
        help="The password of that user: 1 to 16 bytes, as xvp takes no "
        "more. Needed. A `$` in it is written `$$`.",
    ),
    cfg.ListOpt(
        "hosts",
        default=[],
        help="The hosts of the pool, at least one: `name`, which has to "
        "resolve, or `name=IPv4 address`.",
    ),
    cfg.ListOpt(
        "compute_hosts",
        default=["*"],
        item_type=types.String(),
        help="Shell patterns of the compute hosts whose servers are in this "
        "pool. Where several pools match, the first of [xvp] pools counts.",
    ),
]
