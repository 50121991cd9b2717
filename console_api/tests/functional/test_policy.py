# SPDX-License-Identifier: Apache-2.0
"""Policy files: edits at run time, and files written for Nova."""

import uuid

from console_api.tests.functional import base

INDEX = "os_compute_api:os-consoles:index"
CREATE = "os_compute_api:os-consoles:create"

# As an administrator of Nova has it: base rules of old and new releases,
# and rules of operations that are not ours.
NOVA_STYLE = """
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
"os_compute_api:servers:index": "rule:nobody_knows"
"os_compute_api:os-hypervisors:list": "rule:system_reader_api"
"""


@base.on_each_database
class PolicyTests(base.FunctionalTestCase):
    # A folder of rules of its own also keeps this server apart from others.
    options = {"oslo_policy": {"policy_dirs": "rules.d"}}

    def setUp(self):
        super().setUp()
        self.policy = self.server.folder / "policy.yaml"
        self.rules = self.server.folder / "rules.d"
        self.rules.mkdir(exist_ok=True)
        self.addCleanup(self.policy.unlink, missing_ok=True)
        self.server_id = self.make_server()
        self.path = f"/servers/{self.server_id}/consoles"

    def list_as(self, roles):
        return self.client("carol", roles=roles).get(self.path).status

    def write(self, **rules):
        self.policy.write_text(
            "".join(f'"{name}": "{rule}"\n' for name, rule in rules.items())
        )

    def test_edits_count_at_once(self):
        self.assertEqual(200, self.list_as("reader"))
        self.assertEqual(403, self.list_as("auditor"))
        self.write(**{INDEX: "role:auditor"})
        self.assertEqual(403, self.list_as("reader"))
        self.assertEqual(200, self.list_as("auditor"))
        self.write(**{INDEX: "role:auditor or role:reader"})
        self.assertEqual(200, self.list_as("reader"))
        self.write(**{INDEX: "!"})
        self.assertEqual(403, self.list_as("admin"))
        self.write(**{INDEX: "@"})
        self.assertEqual(200, self.list_as(""))
        self.policy.write_text("# Only a comment.\n")
        self.assertEqual(403, self.list_as("auditor"))
        self.policy.unlink()
        self.assertEqual(200, self.list_as("reader"))
        self.assertEqual(403, self.list_as(""))

    def test_an_edit_by_a_new_file_counts_at_once(self):
        self.write(**{INDEX: "role:one"})
        self.assertEqual(200, self.list_as("one"))
        draft = self.server.folder / "draft.yaml"
        draft.write_text(f'"{INDEX}": "role:two"\n')
        draft.replace(self.policy)
        self.assertEqual([403, 200], [*map(self.list_as, ("one", "two"))])

    def test_files_of_the_folder_count(self):
        file = self.rules / "10-auditors.yaml"
        self.addCleanup(file.unlink, missing_ok=True)
        file.write_text(f'"{INDEX}": "role:auditor"\n')
        self.assertEqual(200, self.list_as("auditor"))
        file.write_text(f'"{INDEX}": "role:inspector"\n')
        self.assertEqual(403, self.list_as("auditor"))
        self.assertEqual(200, self.list_as("inspector"))
        file.unlink()
        self.assertEqual(403, self.list_as("inspector"))

    def test_a_broken_file_leaves_the_rules_in_force(self):
        self.write(**{INDEX: "role:auditor"})
        self.assertEqual(200, self.list_as("auditor"))
        for broken in (
            b'"unfinished',
            b"- a\n- list\n",
            b"text",
            b"12",
            b"\xff\xfe\x00",
            b"\x00",
            b"{",
            b"a: b: c",
            b"!!python/object/apply:os.system ['true']",
        ):
            with self.subTest(broken):
                self.policy.write_bytes(broken)
                logged = len(self.server.log)
                for _ in range(3):
                    self.assertEqual(200, self.list_as("auditor"))
                    self.assertEqual(403, self.list_as("reader"))
                told = self.server.log[logged:].count(
                    "The rules before it stay in force."
                )
                self.assertEqual(1, told)
        self.write(**{INDEX: "role:reader"})
        self.assertEqual(200, self.list_as("reader"))

    def test_a_folder_in_the_place_of_the_file(self):
        self.write(**{INDEX: "role:auditor"})
        self.assertEqual(200, self.list_as("auditor"))
        self.policy.unlink()
        self.policy.mkdir()
        self.addCleanup(self.policy.rmdir)
        self.assertEqual(200, self.list_as("auditor"))

    def test_rules_that_make_no_sense_refuse(self):
        for rule in (
            "rule:nobody_knows",
            f"rule:{INDEX}",
            "nonsense",
            "role:",
            "role:auditor and",
            "(role:auditor",
            "field:x",
            "unknown:%(unknown)s",
            "project_id:%(no_such_thing)s",
        ):
            with self.subTest(rule):
                self.write(**{INDEX: rule})
                self.assertEqual(403, self.list_as("auditor"))

    def test_the_target_is_the_servers_project(self):
        self.write(**{CREATE: "project_id:%(project_id)s"})
        stranger = self.client("admin", project=uuid.uuid4().hex)
        self.assert_fault(stranger.post(self.path), 404)
        own = self.client("carol", roles="")
        reply = own.post(self.path)
        # Allowed, though there is no console host.
        self.assert_fault(reply, 503)

    def test_rules_about_the_user(self):
        self.write(**{INDEX: "user_id:dave"})
        self.assertEqual(403, self.list_as("admin"))
        dave = self.client("dave", roles="")
        self.assertEqual(200, dave.get(self.path).status)

    def test_a_policy_written_for_nova(self):
        self.make_console_host()
        self.admin.post(self.path)
        [row] = self.console_rows(self.server_id)
        token = self.issue_token(self.server_id)
        self.policy.write_text(NOVA_STYLE)
        remote = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        console = f"{self.path}/{row.id}"
        look_up = f"/os-console-auth-tokens/{token}"
        other = uuid.uuid4().hex
        for method, path, body, expected in (
            # Roles and project; the owner needs no role of ours.
            ("GET", self.path, None, {"": 200, "admin": 200}),
            ("POST", self.path, None, {"": 200, "admin": 200}),
            ("GET", console, None, {"member": 403, "admin": 200}),
            ("DELETE", console, None, {"member": 403, "admin": 202}),
            ("GET", look_up, None, {"": 403, "reader": 200, "service": 403}),
            (
                "POST",
                f"/servers/{self.server_id}/remote-consoles",
                remote,
                {"": 200, "reader": 200},
            ),
        ):
            for roles, status in expected.items():
                with self.subTest(method, path=path, roles=roles):
                    client = self.client("carol", roles=roles)
                    reply = client.request(
                        method, path, body=body, version="2.31"
                    )
                    self.assertEqual(status, reply.status, reply.body)
        # The old administrator is one of the cloud, whatever the project.
        admin = self.client("admin", project=other)
        self.assertEqual(200, admin.get(self.path).status)
        self.assert_fault(admin.post(self.path), 404)
