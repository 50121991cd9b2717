# SPDX-License-Identifier: Apache-2.0
"""Policy of sessions through gateways."""

from oslo_policy import policy

from console_api.policies import base

ROOT = "os_compute_api:os-console-sessions"
OPEN = f"{ROOT}:open"

_COLLECTION = "/os-console-sessions"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rules."""
    return [
        policy.DocumentedRuleDefault(
            name=OPEN,
            check_str=base.SERVICE_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Open a session with a console auth token, or resume "
            "one. For gateways",
            operations=[{"method": "POST", "path": _COLLECTION}],
        ),
    ]
