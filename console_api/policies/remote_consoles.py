# SPDX-License-Identifier: Apache-2.0
"""Policy of remote consoles."""

from oslo_policy import policy

from console_api.policies import base

CREATE = "os_compute_api:os-remote-consoles"
VIEW_ONLY = f"{CREATE}:view-only"
DELETE = f"{CREATE}:delete"

_COLLECTION = "/servers/{server_id}/remote-consoles"
_VIEW_ONLY = f"{_COLLECTION}/view-only"
_ACTION = "/servers/{server_id}/action"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rules."""
    return [
        policy.DocumentedRuleDefault(
            name=CREATE,
            check_str=base.MEMBER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Create a remote console of a server: a console auth "
            "token and its access URL. The actions exist up to microversion "
            "2.5",
            operations=[
                {"method": "POST", "path": _COLLECTION},
                {"method": "POST", "path": f"{_ACTION} (os-getVNCConsole)"},
                {"method": "POST", "path": f"{_ACTION} (os-getSPICEConsole)"},
                {"method": "POST", "path": f"{_ACTION} (os-getRDPConsole)"},
                {"method": "POST", "path": f"{_ACTION} (os-getSerialConsole)"},
            ],
        ),
        policy.DocumentedRuleDefault(
            name=VIEW_ONLY,
            check_str=base.READER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Create a view-only remote console of a server, whose "
            "sessions show the screen and send nothing to the server",
            operations=[{"method": "POST", "path": _VIEW_ONLY}],
        ),
        policy.DocumentedRuleDefault(
            name=DELETE,
            check_str=base.MEMBER_OR_ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Delete the remote consoles of a server: revoke all "
            "of its console auth tokens",
            operations=[{"method": "DELETE", "path": _COLLECTION}],
        ),
    ]
