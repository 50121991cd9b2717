# SPDX-License-Identifier: Apache-2.0
"""Policy of servers, which all operations below a server check."""

from oslo_policy import policy

from console_api.policies import base

ALL_TENANTS = "os_compute_api:servers:get_all_tenants"

_SERVER = "/servers/{server_id}"


def list_rules() -> list[policy.RuleDefault]:
    """Return the documented rule."""
    return [
        policy.DocumentedRuleDefault(
            name=ALL_TENANTS,
            check_str=base.ADMIN,
            scope_types=base.SCOPE_TYPES,
            description="Reach the servers of other projects, and list "
            "consoles and sessions of all projects. An operation on a server "
            "of another project requires this rule in addition to its own, "
            "which never suffices",
            operations=[
                {"method": "GET", "path": f"{_SERVER}/consoles"},
                {"method": "POST", "path": f"{_SERVER}/consoles"},
                {
                    "method": "GET",
                    "path": f"{_SERVER}/consoles/{{console_id}}",
                },
                {
                    "method": "DELETE",
                    "path": f"{_SERVER}/consoles/{{console_id}}",
                },
                {"method": "POST", "path": f"{_SERVER}/remote-consoles"},
                {
                    "method": "POST",
                    "path": f"{_SERVER}/remote-consoles/view-only",
                },
                {"method": "DELETE", "path": f"{_SERVER}/remote-consoles"},
                {"method": "POST", "path": f"{_SERVER}/action"},
                {"method": "GET", "path": "/os-consoles (all_projects=true)"},
                {
                    "method": "GET",
                    "path": "/os-console-sessions (all_projects=true)",
                },
                {
                    "method": "GET",
                    "path": "/os-console-sessions/{session_id}",
                },
                {
                    "method": "DELETE",
                    "path": "/os-console-sessions/{session_id}",
                },
                {
                    "method": "DELETE",
                    "path": "/os-console-auth-tokens/{console_token}",
                },
            ],
        )
    ]
