# SPDX-License-Identifier: Apache-2.0
"""Policies of the consoles of servers."""

from oslo_policy import policy

from console_api.policies import base

ROOT = "os_compute_api:os-consoles"
INDEX = f"{ROOT}:index"
CREATE = f"{ROOT}:create"
LIST = f"{ROOT}:list"
SHOW = f"{ROOT}:show"
DELETE = f"{ROOT}:delete"

_COLLECTION = "/servers/{server_id}/consoles"
_ITEM = "/servers/{server_id}/consoles/{console_id}"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rules."""
    return [
        policy.DocumentedRuleDefault(
            name=LIST,
            check_str=base.READER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="List the consoles of all servers of a project, with "
            "their state",
            operations=[{"method": "GET", "path": "/os-consoles"}],
        ),
        policy.DocumentedRuleDefault(
            name=INDEX,
            check_str=base.READER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="List the consoles of a server",
            operations=[{"method": "GET", "path": _COLLECTION}],
        ),
        policy.DocumentedRuleDefault(
            name=CREATE,
            check_str=base.MEMBER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Create the console of a server",
            operations=[{"method": "POST", "path": _COLLECTION}],
        ),
        policy.DocumentedRuleDefault(
            name=SHOW,
            # Not for readers: the password gives control of the server.
            check_str=base.MEMBER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Show a console of a server with its password",
            operations=[{"method": "GET", "path": _ITEM}],
        ),
        policy.DocumentedRuleDefault(
            name=DELETE,
            check_str=base.MEMBER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Delete a console of a server",
            operations=[{"method": "DELETE", "path": _ITEM}],
        ),
    ]
