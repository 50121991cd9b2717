# SPDX-License-Identifier: Apache-2.0
"""Options of the agent, which makes the consoles of its console host."""

import socket

from oslo_config import cfg, types

GROUP = "agent"

OPTS = [
    cfg.StrOpt(
        "driver",
        default="vnc",
        help="How consoles are made: the name of an entry point in the "
        "namespace console_api.agent.drivers. `vnc` is built in and serves "
        "any hypervisor with a VNC display; `xvp` runs the XenServer VNC "
        "Proxy. To run both on one machine, run two agents, each with a "
        "configuration folder of its own.",
    ),
    # Not HostnameOpt: a machine may have a name that DNS would not allow,
    # and a default that is refused ends every program.
    cfg.StrOpt(
        "host",
        regex=r"^\S{1,255}$",
        default=socket.gethostname(),
        sample_default="<your hostname>",
        help="The name of this console host. It has to stay the same: the "
        "consoles in the database are those of this name and of the console "
        "type of the driver.",
    ),
    cfg.HostAddressOpt(
        "public_hostname",
        help="The name or address that users reach this console host by. "
        "Without it, that is the value of `host`.",
    ),
    cfg.ListOpt(
        "compute_hosts",
        default=["*"],
        item_type=types.String(max_length=255),
        help="Shell patterns of the compute hosts whose servers get their "
        "consoles here.",
    ),
    cfg.StrOpt(
        "ports",
        default="20000-29999",
        regex=r"^[0-9]{1,5}-[0-9]{1,5}$",
        help="The range of TCP ports, one for each console: MIN-MAX. Ignored "
        "if `multiplex_port` is set.",
    ),
    cfg.PortOpt(
        "multiplex_port",
        min=1,
        help="One port for all consoles, for drivers that can do so (`xvp`).",
    ),
    cfg.FloatOpt(
        "poll_interval",
        default=0.5,
        min=0.05,
        max=1,
        help="How many seconds pass between two questions to the database "
        "whether something has changed.",
    ),
    cfg.IntOpt(
        "full_interval",
        default=300,
        min=1,
        help="How many seconds pass between two full comparisons of what the "
        "database has with what is there.",
    ),
    cfg.IntOpt(
        "report_interval",
        default=10,
        min=1,
        help="How many seconds pass between two reports to the database that "
        "this agent lives. Must be less than [consoles] host_down_time of "
        "the API.",
    ),
    cfg.IntOpt(
        "retry_interval",
        default=5,
        min=1,
        help="How many seconds pass until a console that could not be made, "
        "since its port is in use for example, is tried again.",
    ),
    cfg.IntOpt(
        "cleanup_interval",
        default=60,
        min=0,
        help="How many seconds pass between two rounds in which the directory "
        "is asked whether it still has the servers that are known here; the "
        "consoles and tokens of those that are gone are deleted. 0 means "
        "never. Ignored if [directory] driver is `database`.",
    ),
    cfg.IntOpt(
        "cleanup_batch",
        default=100,
        min=1,
        help="How many servers a round of the clean-up asks for at most.",
    ),
]
