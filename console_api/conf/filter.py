# SPDX-License-Identifier: Apache-2.0
"""Options of the filter in the pipeline of another API."""

from oslo_config import cfg, types

GROUP = "filter"

OPTS = [
    cfg.ListOpt(
        "resources",
        default=["consoles"],
        item_type=types.String(
            choices=[
                (
                    "consoles",
                    "Consoles of servers and projects, which Nova no longer "
                    "has.",
                ),
                (
                    "remote_consoles",
                    "Remote consoles, including the legacy server actions "
                    "that create them. Tokens are then issued by this "
                    "service instead of Nova.",
                ),
                (
                    "console_auth_tokens",
                    "Console auth tokens. Tokens that this service did not "
                    "issue are looked up by the API behind the filter.",
                ),
                (
                    "console_hosts",
                    "Console hosts, for administrators.",
                ),
                (
                    "console_sessions",
                    "Sessions through gateways.",
                ),
                (
                    "console_locks",
                    "Locks of users, projects and hosts, for administrators.",
                ),
                (
                    "console_gateways",
                    "Heartbeats of gateways.",
                ),
            ]
        ),
        help="The resources that the filter serves in the pipeline of another "
        "API. Requests for other resources are passed on unchanged. Ignored "
        "unless console_api runs as a filter: a separate service serves all "
        "resources.",
    ),
]
