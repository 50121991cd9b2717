# SPDX-License-Identifier: Apache-2.0
"""Options of how the agent hears of servers that Nova deletes."""

from oslo_config import cfg

GROUP = "notifications"

OPTS = [
    cfg.StrOpt(
        "transport_url",
        secret=True,
        help="The message bus that Nova's notifications are on, as "
        "rabbit://USER:PASSWORD@HOST:5672/. If it is set, the agent deletes "
        "the consoles and tokens of a server as soon as Nova says that it is "
        "deleted. Needs oslo.messaging: the extra `notifications`. Options of "
        "the bus, for TLS and others, are in [oslo_messaging_rabbit].",
    ),
    cfg.StrOpt(
        "exchange",
        default="nova",
        help="The exchange that Nova sends to: its `control_exchange`.",
    ),
    cfg.ListOpt(
        "topics",
        default=["versioned_notifications", "notifications"],
        help="The topics that Nova sends to: its "
        "`versioned_notifications_topics`, or `topics` for the older form. "
        "Either will do.",
    ),
    cfg.StrOpt(
        "pool",
        default="console_api",
        help="The name of the queue. Agents with the same name share the "
        "work; a name that another service uses would take its messages away.",
    ),
]
