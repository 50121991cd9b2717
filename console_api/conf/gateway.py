# SPDX-License-Identifier: Apache-2.0
"""Options of the gateway."""

from oslo_config import cfg, types

from console_api import values

GROUP = "gateway"

OPTS = [
    cfg.StrOpt(
        "sessions",
        default="api",
        choices=[
            ("api", "console_api, which lists, limits and cuts sessions."),
            (
                "local",
                "the gateway alone: tokens are looked up in Nova, and limits "
                "apply to each worker.",
            ),
        ],
        help="Where sessions are opened.",
    ),
    cfg.HostAddressOpt(
        "name",
        sample_default="the name of the machine",
        help="The name of this gateway in lists of sessions and audit events. "
        "By default, it is the name of the machine.",
    ),
    cfg.ListOpt(
        "listen_addresses",
        default=["::"],
        item_type=types.HostAddress(),
        help="Addresses on which to listen. `::` stands for all IPv6 and "
        "IPv4 addresses of the machine.",
    ),
    cfg.PortOpt(
        "port",
        default=6080,
        min=values.MIN_PORT,
        help="The TCP port for pages and WebSockets.",
    ),
    cfg.IntOpt(
        "workers",
        default=1,
        min=1,
        help="Number of processes that share the port. One uses one "
        "processor and serves thousands of sessions.",
    ),
    cfg.StrOpt(
        "tls_cert_file",
        help="File with the certificate for browsers, and the certificates "
        "between it and the CA, in PEM format. It is read again when it "
        "changes. Without it, TLS has to end in a proxy.",
    ),
    cfg.StrOpt(
        "tls_key_file",
        help="File with the private key of `tls_cert_file`, if it is not in "
        "that file.",
    ),
    cfg.StrOpt(
        "path_prefix",
        default="",
        regex=r"^(/[A-Za-z0-9._~-]+)*$",
        help="Path under which a proxy publishes the gateway, such as "
        "`/console`, if the proxy passes it on. It is ignored in requests "
        "that do not have it.",
    ),
    cfg.ListOpt(
        "allowed_origins",
        help="Origins, such as `https://dashboard.example.org`, whose pages "
        "may open WebSockets, in addition to the gateway's own page. Serial "
        "consoles in Horizon require that of Horizon.",
    ),
    cfg.ListOpt(
        "frame_ancestors",
        help="Origins whose pages may show the gateway's page in a frame, "
        "such as that of Horizon, in addition to the gateway's own.",
    ),
    cfg.ListOpt(
        "trusted_proxies",
        item_type=types.String(),
        help="Addresses or networks, such as `192.0.2.0/24`, of proxies whose "
        "`X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` "
        "headers, or PROXY protocol, describe where a viewer connects from, "
        "and to which URL. Those of others are ignored.",
    ),
    cfg.BoolOpt(
        "proxy_protocol",
        default=False,
        help="Whether connections from `trusted_proxies` begin with the PROXY "
        "protocol, version 1 or 2.",
    ),
    cfg.IntOpt(
        "handshake_timeout",
        default=10,
        min=1,
        help="Time limit, in seconds, for the TLS handshake, for receiving a "
        "request, and for the viewer's part of the RFB or SPICE handshake.",
    ),
    cfg.IntOpt(
        "connect_timeout",
        default=10,
        min=1,
        help="Time limit, in seconds, for connecting to a display.",
    ),
    cfg.IntOpt(
        "ping_interval",
        default=25,
        min=1,
        help="Interval, in seconds, between pings of viewers. One that leaves "
        "two unanswered is disconnected. Proxies close connections that are "
        "idle for longer than they allow, often 60 seconds.",
    ),
    cfg.IntOpt(
        "max_message_size",
        default=2**20,
        min=2**12,
        help="Maximum size, in bytes, of a WebSocket message of a viewer.",
    ),
    cfg.IntOpt(
        "grace_time",
        default=30,
        min=0,
        help="Time, in seconds, over which the sessions of a gateway that "
        "stops are closed. Their pages connect again, to another gateway or "
        "to this one after its restart.",
    ),
    cfg.IntOpt(
        "heartbeat_interval",
        default=1,
        min=1,
        max=60,
        help="Interval, in seconds, between heartbeats to the API. A session "
        "is cut within this time. A gateway that misses two of them counts "
        "as dead until the next one.",
    ),
    cfg.IntOpt(
        "max_sessions",
        default=4000,
        min=1,
        help="Maximum number of sessions of a worker.",
    ),
    cfg.IntOpt(
        "max_connections",
        default=10000,
        min=1,
        help="Maximum number of connections of a worker, with those that are "
        "not sessions yet.",
    ),
    cfg.IntOpt(
        "max_attempts",
        default=60,
        min=1,
        help="Maximum number of refused tokens per minute from one address. "
        "It is then refused until the minute is over.",
    ),
    cfg.BoolOpt(
        "view_only",
        default=False,
        help="Whether all sessions of this gateway are view-only, whatever "
        "their tokens allow.",
    ),
    cfg.IPOpt(
        "monitoring_address",
        default="127.0.0.1",
        help="Address on which metrics and health are served.",
    ),
    cfg.PortOpt(
        "monitoring_port",
        default=6081,
        help="The TCP port of `/metrics`, `/health` and `/ready`. Each worker "
        "after the first one uses the next port.",
    ),
    # Only with `sessions = local`.
    cfg.StrOpt(
        "local_console_type",
        default="novnc",
        choices=["novnc", "serial", "spice-html5"],
        help="With `sessions = local`, the console type of tokens if the "
        "address of the page does not show it: Nova does not return it.",
    ),
    cfg.BoolOpt(
        "local_check_displays",
        default=True,
        help="With `sessions = local`, whether to check that a token's "
        "display still belongs to its server, by requesting a new console "
        "from Nova. This also shows the console type. Without it, a token "
        "may lead to the display of another server, which was given the port "
        "after the first one was restarted.",
    ),
    cfg.IntOpt(
        "local_max_sessions_per_server",
        default=10,
        min=1,
        help="With `sessions = local`, maximum number of sessions of a "
        "server in a worker.",
    ),
    cfg.IntOpt(
        "local_max_sessions_per_token",
        default=10,
        min=1,
        help="With `sessions = local`, maximum number of sessions of a token "
        "in a worker.",
    ),
    cfg.IntOpt(
        "local_idle_timeout",
        default=3600,
        min=0,
        help="With `sessions = local`, time in seconds without data in either "
        "direction after which a session is closed. 0 means no limit.",
    ),
    cfg.IntOpt(
        "local_max_duration",
        default=43200,
        min=0,
        help="With `sessions = local`, time in seconds after which a session "
        "is closed. 0 means no limit.",
    ),
]
