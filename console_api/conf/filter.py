# SPDX-License-Identifier: Apache-2.0
"""Options of the filter in another API's pipeline."""

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
                    "The consoles of servers, which Nova has no more.",
                ),
                (
                    "remote_consoles",
                    "Remote consoles, and the older actions on servers that "
                    "make them. Tokens are issued here then, not by Nova.",
                ),
                (
                    "console_auth_tokens",
                    "Look-ups of console auth tokens. A token that was not "
                    "issued here is looked up by the API behind the filter.",
                ),
                (
                    "console_hosts",
                    "The console hosts, for administrators.",
                ),
            ]
        ),
        help="Which resources the filter in another API's pipeline takes "
        "over. Requests for all others are handed on untouched. A service of "
        "its own has them all, whatever this says.",
    ),
]
