# SPDX-License-Identifier: Apache-2.0
"""Policy of console auth tokens."""

from oslo_policy import policy

from console_api.policies import base

SHOW = "os_compute_api:os-console-auth-tokens"
DELETE = f"{SHOW}:delete"

_ITEM = "/os-console-auth-tokens/{console_token}"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rules."""
    return [
        policy.DocumentedRuleDefault(
            name=SHOW,
            check_str=base.SERVICE_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Look up a console auth token: the host and port "
            "that serve the screen of a server. For console proxies",
            operations=[{"method": "GET", "path": _ITEM}],
        ),
        policy.DocumentedRuleDefault(
            name=DELETE,
            check_str=base.MEMBER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Revoke a console auth token of a server",
            operations=[{"method": "DELETE", "path": _ITEM}],
        ),
    ]
