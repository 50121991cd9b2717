# SPDX-License-Identifier: Apache-2.0
"""The personas, as base rules that other rules reference.

The names are those of Nova's base rules, old and new, so that all references
of a policy.yaml written for Nova resolve.  The target of a check is always
the server's project.
"""

from oslo_policy import policy

SCOPE_TYPES = ["project"]

ADMIN = "rule:context_is_admin"
READER_OR_ADMIN = "rule:project_reader_or_admin"
MEMBER_OR_ADMIN = "rule:project_member_or_admin"
SERVICE_OR_ADMIN = "rule:service_or_admin"

_OWN = "project_id:%(project_id)s"

# A role includes the lower ones even if the identity service does not define
# that it implies them.
_PERSONAS = [
    policy.RuleDefault(
        "context_is_admin", "role:admin", "An administrator of the cloud."
    ),
    policy.RuleDefault(
        "service_api", "role:service", "A service, such as a console proxy."
    ),
    policy.RuleDefault(
        "project_manager_api",
        f"role:manager and {_OWN}",
        "A manager of the server's project.",
    ),
    policy.RuleDefault(
        "project_member_api",
        f"(role:member or role:manager) and {_OWN}",
        "A member of the server's project.",
    ),
    policy.RuleDefault(
        "project_reader_api",
        f"(role:reader or role:member or role:manager) and {_OWN}",
        "A reader of the server's project.",
    ),
    policy.RuleDefault(
        "project_manager_or_admin",
        "rule:project_manager_api or rule:context_is_admin",
        "A manager of the server's project, or an administrator.",
    ),
    policy.RuleDefault(
        "project_member_or_admin",
        "rule:project_member_api or rule:context_is_admin",
        "A member of the server's project, or an administrator.",
    ),
    policy.RuleDefault(
        "project_reader_or_admin",
        "rule:project_reader_api or rule:context_is_admin",
        "A reader of the server's project, or an administrator.",
    ),
    policy.RuleDefault(
        "service_or_admin",
        "rule:service_api or rule:context_is_admin",
        "A service, or an administrator.",
    ),
]

# Not referenced by our defaults; for policy files written for Nova.
_ALIASES = [
    policy.RuleDefault(
        "admin_api",
        "is_admin:True",
        "Deprecated name of `context_is_admin`, for older policy files.",
    ),
    policy.RuleDefault(
        "admin_or_owner",
        f"is_admin:True or {_OWN}",
        "Deprecated: anyone with a role on the server's project, or an "
        "administrator. For older policy files.",
    ),
    policy.RuleDefault(
        "owner",
        _OWN,
        "Deprecated: anyone with a role on the server's project. For older "
        "policy files.",
    ),
    policy.RuleDefault(
        "system_admin_api",
        "role:admin and system_scope:all",
        "Deprecated: an administrator of the system. For older policy files.",
    ),
    policy.RuleDefault(
        "system_reader_api",
        "role:reader and system_scope:all",
        "Deprecated: a reader of the system. For older policy files.",
    ),
    policy.RuleDefault(
        "project_admin_api",
        f"role:admin and {_OWN}",
        "Deprecated: an administrator within the server's project. For older "
        "policy files.",
    ),
    policy.RuleDefault(
        "system_admin_or_owner",
        f"rule:system_admin_api or {_OWN}",
        "Deprecated: an administrator of the system or the server's project. "
        "For older policy files.",
    ),
    policy.RuleDefault(
        "system_or_project_reader",
        "rule:system_reader_api or rule:project_reader_api",
        "Deprecated: a reader of the system or of the server's project. For "
        "older policy files.",
    ),
]


def list_rules() -> list[policy.RuleDefault]:
    """Return the base rules."""
    return [*_PERSONAS, *_ALIASES]
