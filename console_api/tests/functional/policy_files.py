# SPDX-License-Identifier: Apache-2.0
"""Policy files that the service accepts, by what is special about them."""

#: The texts; most of them are treacherous.
SOUND = {
    "the defaults": "# Nothing differs from the defaults.\n",
    "managers": """
"os_compute_api:os-consoles:create": "rule:project_manager_or_admin"
"os_compute_api:os-consoles:delete": "rule:project_manager_or_admin"
"os_compute_api:os-remote-consoles": "!"
""",
    "rules of its own": """
support: role:support and project_id:%(project_id)s
viewers: rule:support or rule:project_reader_or_admin
os_compute_api:os-consoles:index: rule:viewers
""",
    "support of all projects": """
"os_compute_api:servers:get_all_tenants": >-
  rule:context_is_admin or role:support
"os_compute_api:os-consoles:index": >-
  rule:project_reader_or_admin or role:support
"os_compute_api:os-consoles:list": >-
  rule:project_reader_or_admin or role:support
""",
    "everyone": """
"os_compute_api:os-consoles:index": "@"
"os_compute_api:os-consoles:show": ""
"os_compute_api:os-remote-consoles": "rule:anyone"
"os_compute_api:os-consoles:create": "True:True"
"os_compute_api:os-consoles:list": "is_admin_project:True"
"anyone": "@"
""",
    "everyone, on all projects": """
"os_compute_api:servers:get_all_tenants": "@"
"os_compute_api:os-consoles:show": "@"
"os_compute_api:os-console-auth-tokens": "@"
""",
    "JSON": """{
    "context_is_admin": "role:admin",
    "os_compute_api:os-consoles:show": "rule:project_reader_or_admin",
    "os_compute_api:os-remote-consoles": "rule:project_manager_or_admin"
}
""",
    "lists of lists": """
"os_compute_api:os-consoles:show":
  [["role:auditor"], ["role:member", "project_id:%(project_id)s"]]
""",
    "attributes that do not exist": """
"os_compute_api:os-consoles:show": >-
  user_id:%(user_id)s or rule:context_is_admin
"os_compute_api:os-consoles:create": "project_id:%(tenant_id)s"
"os_compute_api:os-consoles:delete": "tenant_id:%(project_id)s"
"os_compute_api:os-consoles:index": >-
  project_id:%(server.project_id)s or project_name:%(project_id)s
"os_compute_api:os-remote-consoles": "service_roles:service and role:member"
""",
    "scopes": """
"os_compute_api:os-console-auth-tokens": "rule:system_reader_api"
"os_compute_api:os-remote-consoles": >-
  (role:admin and system_scope:all) or rule:project_member_api
"os_compute_api:os-console-hosts:index": "role:reader and system_scope:all"
"os_compute_api:os-consoles:index": "system_scope:None and domain_id:None"
""",
    # The port of this address discards everything, if it is open at all.
    "other servers": """
"os_compute_api:os-consoles:show": "http://127.0.0.1:9/%(project_id)s"
"os_compute_api:os-consoles:create": >-
  rule:project_member_or_admin or http://127.0.0.1:9/
""",
    "weaker than the defaults": """
"os_compute_api:os-consoles:show": "rule:project_reader_or_admin"
"os_compute_api:os-console-auth-tokens": >-
  rule:service_or_admin or rule:project_member_api
"project_member_api": >-
  (role:member or role:manager or role:operator) and
  project_id:%(project_id)s
""",
    "parts without effect": """
"helpdesk": "role:helpdesk and project_id:%(project_id)s"
"oncall": "role:oncall"
"os_compute_api:os-consoles:show": "rule:oncall or role:member"
"os_compute_api:os-consoles:create": "role:Admin or roles:Operator"
"os_compute_api:os-consoles:delete": "role:x and not role:x"
"os_compute_api:os-console-hosts:index": "not role:member"
""",
    # Base rules of old and new releases, and rules of other operations.
    "written for Nova": """
# Decides what is required for the 'is_admin:True' check to succeed.
"context_is_admin": "role:admin"
"admin_or_owner": "is_admin:True or project_id:%(project_id)s"
"admin_api": "is_admin:True"
"system_admin_api": "role:admin and system_scope:all"
"project_reader_api": "role:reader and project_id:%(project_id)s"
"os_compute_api:os-consoles:index": "rule:admin_or_owner"
"os_compute_api:os-consoles:create": "rule:owner"
"os_compute_api:os-consoles:show": "rule:admin_api"
"os_compute_api:os-consoles:delete": "rule:project_admin_api"
"os_compute_api:os-console-auth-tokens": "rule:system_or_project_reader"
"os_compute_api:os-remote-consoles": "rule:system_admin_or_owner"
"os_compute_api:servers:index": "rule:undefined"
"os_compute_api:os-hypervisors:list": "rule:system_reader_api"
""",
}
