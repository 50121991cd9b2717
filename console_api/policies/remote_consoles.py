# SPDX-License-Identifier: Apache-2.0
"""Policy of remote consoles."""

from oslo_policy import policy

from console_api.policies import base

CREATE = "os_compute_api:os-remote-consoles"

_ACTION = "/servers/{server_id}/action"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rule."""
    return [
        policy.DocumentedRuleDefault(
            name=CREATE,
            check_str=base.MEMBER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Create a remote console of a server: a console auth "
            "token and its access URL. The actions exist up to microversion "
            "2.5",
            operations=[
                {
                    "method": "POST",
                    "path": "/servers/{server_id}/remote-consoles",
                },
                {"method": "POST", "path": f"{_ACTION} (os-getVNCConsole)"},
                {"method": "POST", "path": f"{_ACTION} (os-getSPICEConsole)"},
                {"method": "POST", "path": f"{_ACTION} (os-getRDPConsole)"},
                {"method": "POST", "path": f"{_ACTION} (os-getSerialConsole)"},
            ],
        )
    ]
