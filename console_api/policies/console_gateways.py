# SPDX-License-Identifier: Apache-2.0
"""Policy of gateways."""

from oslo_policy import policy

from console_api.policies import base

ROOT = "os_compute_api:os-console-gateways"
UPDATE = f"{ROOT}:update"
CLOSE = f"{ROOT}:close"

_ITEM = "/os-console-gateways/{gateway_id}"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rules."""
    return [
        policy.DocumentedRuleDefault(
            name=UPDATE,
            check_str=base.SERVICE_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Send a heartbeat of a gateway with the traffic of "
            "its sessions, and receive which of them to cut. For gateways",
            operations=[{"method": "PUT", "path": _ITEM}],
        ),
        policy.DocumentedRuleDefault(
            name=CLOSE,
            check_str=base.SERVICE_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Record that sessions of a gateway have ended. For "
            "gateways",
            operations=[{"method": "POST", "path": f"{_ITEM}/close"}],
        ),
    ]
