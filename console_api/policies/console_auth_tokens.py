# SPDX-License-Identifier: Apache-2.0
"""Policy of console auth tokens."""

from oslo_policy import policy

from console_api.policies import base

SHOW = "os_compute_api:os-console-auth-tokens"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rule."""
    return [
        policy.DocumentedRuleDefault(
            name=SHOW,
            check_str=base.SERVICE_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Look up a console auth token: the host and port "
            "that serve the screen of a server. For console proxies",
            operations=[
                {
                    "method": "GET",
                    "path": "/os-console-auth-tokens/{console_token}",
                }
            ],
        )
    ]
