# SPDX-License-Identifier: Apache-2.0
"""Options of the audit trail of sessions."""

from oslo_config import cfg

GROUP = "audit"

OPTS = [
    cfg.StrOpt(
        "transport_url",
        secret=True,
        help="URL of the message bus that receives audit events, in the form "
        "rabbit://USER:PASSWORD@HOST:5672/. The API sends an event in CADF "
        "for each console auth token that it issues and each session that it "
        "cuts, a gateway for each session that it opens, refuses or closes. "
        "Requires oslo.messaging and pycadf (the extra `notifications`). "
        "Without it, the events are in the log only. Options of the bus, such "
        "as those for TLS, are in [oslo_messaging_rabbit].",
    ),
    cfg.ListOpt(
        "topics",
        default=["notifications"],
        help="Topics to which audit events are sent, with the priority "
        "`info`.",
    ),
    cfg.StrOpt(
        "exchange",
        default="console_api",
        help="Exchange to which audit events are sent.",
    ),
    cfg.IntOpt(
        "max_pending",
        default=10000,
        min=1,
        help="Maximum number of audit events of a process that wait for the "
        "message bus. Further ones are in the log only.",
    ),
]
