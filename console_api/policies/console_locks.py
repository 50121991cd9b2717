# SPDX-License-Identifier: Apache-2.0
"""Policy of locks."""

from oslo_policy import policy

from console_api.policies import base

ROOT = "os_compute_api:os-console-locks"
INDEX = f"{ROOT}:index"
UPDATE = f"{ROOT}:update"
DELETE = f"{ROOT}:delete"

_COLLECTION = "/os-console-locks"
_ITEM = "/os-console-locks/{scope}/{name}"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rules."""
    return [
        policy.DocumentedRuleDefault(
            name=INDEX,
            check_str=base.ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="List the users, projects and hosts whose sessions "
            "are locked",
            operations=[{"method": "GET", "path": _COLLECTION}],
        ),
        policy.DocumentedRuleDefault(
            name=UPDATE,
            check_str=base.ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Lock a user, project or host: its sessions are cut, "
            "and new ones are refused",
            operations=[{"method": "PUT", "path": _ITEM}],
        ),
        policy.DocumentedRuleDefault(
            name=DELETE,
            check_str=base.ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Delete a lock of a user, project or host",
            operations=[{"method": "DELETE", "path": _ITEM}],
        ),
    ]
