# SPDX-License-Identifier: Apache-2.0
"""Options of the agent."""

import socket

from oslo_config import cfg, types

from console_api import values

GROUP = "agent"


class PortRange(types.ConfigType):
    """A range of TCP ports, written MIN-MAX."""

    def __init__(self) -> None:
        """Name the type for the sample configuration."""
        super().__init__(type_name="port range")

    def __call__(self, value: str) -> range:
        """Return the ports.

        :raises ValueError: the value is not a range of ports
        """
        return values.port_range(value)

    def _formatter(self, value: str) -> str:
        return value


OPTS = [
    cfg.StrOpt(
        "driver",
        default="vnc",
        help="How consoles are served: the name of an entry point in the "
        "namespace console_api.agent.drivers. `vnc` is built in and serves "
        "any hypervisor with VNC displays; `xvp` runs the XenServer VNC "
        "Proxy. To use both on one machine, run two agents, each with a "
        "configuration directory of its own.",
    ),
    # Not HostnameOpt: a machine may have a name that is invalid in DNS, and
    # an invalid default would keep every program from starting.
    cfg.StrOpt(
        "host",
        regex=rf"^\S{{1,{values.MAX_NAME_LENGTH}}}$",
        default=socket.gethostname(),
        sample_default="<your hostname>",
        help="Name of this console host. It must not change: the consoles in "
        "the database belong to this name and the console type of the driver.",
    ),
    cfg.HostAddressOpt(
        "public_hostname",
        help="Host name or address at which users reach this console host. "
        "Defaults to the value of `host`.",
    ),
    cfg.ListOpt(
        "compute_hosts",
        default=["*"],
        item_type=types.String(max_length=values.MAX_NAME_LENGTH),
        help="Shell patterns of the compute hosts that this console host "
        "serves.",
    ),
    cfg.Opt(
        "ports",
        type=PortRange(),
        default="20000-29999",
        help="Range of TCP ports, one for each console, in the form MIN-MAX. "
        "Ignored if `multiplex_port` is set.",
    ),
    cfg.PortOpt(
        "multiplex_port",
        min=values.MIN_PORT,
        help="A single port for all consoles. Requires a driver that supports "
        "it (`xvp`).",
    ),
    cfg.FloatOpt(
        "poll_interval",
        default=0.5,
        min=0.05,
        max=1,
        help="Interval, in seconds, between polls of the database for "
        "changes.",
    ),
    cfg.IntOpt(
        "full_interval",
        default=300,
        min=1,
        help="Interval, in seconds, between full comparisons of the served "
        "consoles with the database.",
    ),
    cfg.IntOpt(
        "report_interval",
        default=10,
        min=1,
        help="Interval, in seconds, between heartbeats in the database. Must "
        "be less than [consoles] host_down_time of the API.",
    ),
    cfg.IntOpt(
        "retry_interval",
        default=5,
        min=1,
        help="Interval, in seconds, between attempts to serve a console that "
        "cannot be served, for example because its port is in use.",
    ),
    cfg.IntOpt(
        "drain_timeout",
        default=14400,
        min=0,
        help="Time, in seconds, for which sessions continue after the agent "
        "has been reloaded. They are served by the process that served them "
        "before, with its version and configuration. 0 ends them at once. A "
        "driver that does not serve viewers itself, such as `xvp`, ignores "
        "it.",
    ),
    cfg.IntOpt(
        "cleanup_interval",
        default=60,
        min=0,
        help="Interval, in seconds, between clean-ups. Each deletes a batch "
        "of expired consoles, of any console host. Unless [directory] driver "
        "is `database`, it also looks up a batch of known servers in the "
        "directory and deletes the consoles and tokens of servers that no "
        "longer exist. 0 disables clean-ups.",
    ),
    cfg.IntOpt(
        "cleanup_batch",
        default=100,
        min=1,
        help="Maximum number of expired consoles that a clean-up deletes, and "
        "of servers that it looks up.",
    ),
]
