# SPDX-License-Identifier: Apache-2.0
"""Policy of sessions through gateways."""

from oslo_policy import policy

from console_api.policies import base

ROOT = "os_compute_api:os-console-sessions"
OPEN = f"{ROOT}:open"
INDEX = f"{ROOT}:index"
SHOW = f"{ROOT}:show"
DELETE = f"{ROOT}:delete"

_COLLECTION = "/os-console-sessions"
_ITEM = "/os-console-sessions/{session_id}"


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
        policy.DocumentedRuleDefault(
            name=INDEX,
            check_str=base.READER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="List the sessions of a project with the addresses of "
            "their viewers",
            operations=[{"method": "GET", "path": _COLLECTION}],
        ),
        policy.DocumentedRuleDefault(
            name=SHOW,
            check_str=base.READER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Show a session",
            operations=[{"method": "GET", "path": _ITEM}],
        ),
        policy.DocumentedRuleDefault(
            name=DELETE,
            check_str=base.MEMBER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Cut a session",
            operations=[{"method": "DELETE", "path": _ITEM}],
        ),
    ]
