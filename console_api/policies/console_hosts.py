# SPDX-License-Identifier: Apache-2.0
"""Policy of console hosts."""

from oslo_policy import policy

from console_api.policies import base

INDEX = "os_compute_api:os-console-hosts:index"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rule."""
    return [
        policy.DocumentedRuleDefault(
            name=INDEX,
            check_str=base.ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="List the console hosts, with what their agents "
            "report and the number of their consoles",
            operations=[{"method": "GET", "path": "/os-console-hosts"}],
        )
    ]
