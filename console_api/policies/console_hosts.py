# SPDX-License-Identifier: Apache-2.0
"""Policy of console hosts."""

from oslo_policy import policy

from console_api.policies import base

ROOT = "os_compute_api:os-console-hosts"
INDEX = f"{ROOT}:index"
SHOW = f"{ROOT}:show"
UPDATE = f"{ROOT}:update"

_ITEM = "/os-console-hosts/{console_type}/{host}"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rules."""
    return [
        policy.DocumentedRuleDefault(
            name=INDEX,
            check_str=base.ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="List the console hosts, with what their agents "
            "report and the number of their consoles",
            operations=[{"method": "GET", "path": "/os-console-hosts"}],
        ),
        policy.DocumentedRuleDefault(
            name=SHOW,
            check_str=base.ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Show a console host",
            operations=[{"method": "GET", "path": _ITEM}],
        ),
        policy.DocumentedRuleDefault(
            name=UPDATE,
            check_str=base.ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Enable or disable a console host. A disabled one "
            "gets no new consoles and keeps those it has",
            operations=[{"method": "PUT", "path": _ITEM}],
        ),
    ]
