# SPDX-License-Identifier: Apache-2.0
"""Options of the agent's listener for Nova's notifications."""

from oslo_config import cfg

GROUP = "notifications"

OPTS = [
    cfg.StrOpt(
        "transport_url",
        secret=True,
        help="URL of the message bus with Nova's notifications, in the form "
        "rabbit://USER:PASSWORD@HOST:5672/. If it is set, the agent deletes "
        "the consoles and tokens of a server as soon as Nova reports that the "
        "server was deleted. It revokes the tokens of a server that was "
        "moved, stopped or started, and looks up in the directory where the "
        "server is. Requires oslo.messaging (the extra "
        "`notifications`). Options of the bus, such as those for TLS, are in "
        "[oslo_messaging_rabbit].",
    ),
    cfg.StrOpt(
        "exchange",
        default="nova",
        help="Exchange that Nova sends notifications to: its "
        "`control_exchange`.",
    ),
    cfg.ListOpt(
        "topics",
        default=["versioned_notifications", "notifications"],
        help="Topics that Nova sends notifications to: its "
        "`versioned_notifications_topics`, or `topics` for unversioned "
        "notifications. Both forms are understood.",
    ),
    cfg.StrOpt(
        "pool",
        default="console_api",
        help="Name of the queue. Agents with the same name share the "
        "notifications. Do not use the name of another service's queue, which "
        "would lose notifications.",
    ),
]
