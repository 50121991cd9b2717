# SPDX-License-Identifier: Apache-2.0
"""Policy files: edits at run time, and files written for Nova."""

import uuid

from console_api.tests.functional import base, policy_files

INDEX = "os_compute_api:os-consoles:index"
CREATE = "os_compute_api:os-consoles:create"
SHOW = "os_compute_api:os-consoles:show"
DELETE = "os_compute_api:os-consoles:delete"

# Files with a rule that must not let anyone pass: oslo.policy would let
# everyone pass, or refuse everyone.
BROKEN = (
    f'"{INDEX}": !\n',
    f'"{INDEX}":\n',
    f'"{INDEX}": off\n',
    f'"{INDEX}": []\n',
    f'"{INDEX}": "not rule:undefined"\n',
    f'"{INDEX}": "not guest"\n',
    f'"{INDEX}": "rule:undefined"\n"default": "@"\n',
    f'"{INDEX}": "not user_id:%(user_id)s"\n',
    f'"{INDEX}": "role:reader or"\n',
    f'"{INDEX}": "role:auditor or rule:{INDEX}"\n',
    f'"{INDEX}": "rule:one"\n"one": "not rule:two"\n"two": "rule:one"\n',
    f'"{INDEX}": "role:auditor"\n"{INDEX}": "role:reader"\n',
)

# Rules that never pass.
NEVER = ("unknown:%(project_id)s", "project_id:%(undefined)s", "domain_id:x")


def text_of(rules):
    return "".join(f'"{name}": "{rule}"\n' for name, rule in rules.items())


class PolicyTestCase(base.FunctionalTestCase):
    # These options also keep other tests from sharing the server.
    options = {"oslo_policy": {"policy_dirs": "rules.d"}}

    def setUp(self):
        super().setUp()
        self.policy = self.server.folder / "policy.yaml"
        self.rules = self.server.folder / "rules.d"
        self.rules.mkdir(exist_ok=True)
        self.addCleanup(self.policy.unlink, missing_ok=True)
        self.server_id = self.make_server()
        self.path = f"/servers/{self.server_id}/consoles"
        self.canary = ""
        self.write()

    def list_as(self, roles):
        return self.client("carol", roles=roles).get(self.path).status

    def delete_as(self, roles):
        """Return the status of deleting a console that does not exist."""
        client = self.client("carol", roles=roles)
        return client.delete(f"{self.path}/0").status

    def write(self, text="", **rules):
        """Write the policy file, and wait until it takes effect."""
        self.write_only(text, **rules)
        self.eventually(lambda: self.delete_as(self.canary) == 404)

    def write_only(self, text="", **rules):
        # A role that is new with each file shows when it takes effect.
        self.canary = f"canary-{uuid.uuid4().hex}"
        rules.setdefault(DELETE, "rule:project_member_or_admin")
        rules[DELETE] += f" or role:{self.canary}"
        self.policy.write_text(text + text_of(rules))


# Independent of the database, and each edit takes half a second.
@base.on_databases("sqlite")
class PolicyEditTests(PolicyTestCase):
    def test_edits_take_effect(self):
        for rule, allowed, refused in (
            ("role:auditor", ["auditor"], ["reader", "admin"]),
            ("role:auditor or role:reader", ["auditor", "reader"], ["x"]),
            ("!", [], ["admin", "reader", ""]),
            ("@", ["", "reader"], []),
            ("", ["", "reader"], []),
        ):
            with self.subTest(rule):
                self.write(**{INDEX: rule})
                self.assertEqual({200}, {200, *map(self.list_as, allowed)})
                self.assertEqual({403}, {403, *map(self.list_as, refused)})
        # Without a rule in the file, the default applies.
        self.write()
        self.assertEqual(403, self.list_as("auditor"))
        self.assertEqual(200, self.list_as("reader"))

    def test_edit_logs_warnings_and_who_gains_and_loses(self):
        before = len(self.server.log)
        self.write(
            **{
                INDEX: "role:auditor and project_id:%(project_id)s",
                f"{INDEX}s": "!",
            }
        )
        log = self.server.log[before:]
        self.assertRegex(log, rf"WARNING .*{self.policy}:2: {INDEX}s: ")
        for verb, role in (("gain", "auditor"), ("lose", "reader")):
            self.assertRegex(
                log,
                f"INFO .*Compared with the previous rules, these callers "
                f"{verb} {INDEX} in their own project: role {role}",
            )

    def test_removed_file_leaves_rules_in_force(self):
        self.write(**{INDEX: "role:auditor"})
        self.errors_before = self.count_errors()
        self.policy.unlink()
        self.assert_rules_stay()
        self.write(**{INDEX: "role:reader"})
        self.assertEqual(200, self.list_as("reader"))

    def test_replaced_file_takes_effect(self):
        draft = self.server.folder / "draft.yaml"
        draft.write_text(f'"{INDEX}": "role:auditor"\n')
        draft.replace(self.policy)
        self.eventually(lambda: self.list_as("auditor") == 200)
        self.assertEqual(403, self.list_as("reader"))

    def test_files_of_the_directory_take_effect(self):
        file = self.rules / "10-auditors.yaml"
        self.addCleanup(file.unlink, missing_ok=True)
        file.write_text(f'"{INDEX}": "role:auditor"\n')
        self.eventually(lambda: self.list_as("auditor") == 200)
        file.write_text(f'"{INDEX}": "role:inspector"\n')
        self.eventually(lambda: self.list_as("auditor") == 403)
        self.assertEqual(200, self.list_as("inspector"))
        file.unlink()
        self.eventually(lambda: self.list_as("inspector") == 403)
        self.assertEqual(200, self.list_as("reader"))

    def assert_rules_stay(self):
        """Assert that the rules stay in force and one error is logged."""
        self.eventually(lambda: self.count_errors() > self.errors_before)
        for _ in range(3):
            self.assertEqual(200, self.list_as("auditor"))
            self.assertEqual(403, self.list_as("reader"))
        self.assertEqual(self.errors_before + 1, self.count_errors())
        # oslo.log repeats an error that is logged while it is handled.
        self.assertNotIn("PolicyFileError", self.server.log)

    def count_errors(self):
        # A request examines the files.
        self.list_as("auditor")
        return self.server.log.count("The previous rules stay in force.")

    def test_malformed_file_leaves_rules_in_force(self):
        self.write(**{INDEX: "role:auditor"})
        for broken in (
            b'"unfinished',
            b"- a\n- list\n",
            b"text",
            b"\xff\xfe\x00",
            b"\x00",
            b"!!python/object/apply:os.system ['true']",
        ):
            with self.subTest(broken):
                self.errors_before = self.count_errors()
                self.policy.write_bytes(broken)
                self.assert_rules_stay()
        self.write(**{INDEX: "role:reader"})
        self.assertEqual(200, self.list_as("reader"))

    def test_directory_in_place_of_file_leaves_rules_in_force(self):
        self.write(**{INDEX: "role:auditor"})
        self.errors_before = self.count_errors()
        self.addCleanup(self.policy.rmdir)
        self.policy.unlink()
        self.policy.mkdir()
        self.assert_rules_stay()

    def test_broken_rule_leaves_rules_in_force(self):
        self.write(**{INDEX: "role:auditor"})
        for text in BROKEN:
            with self.subTest(text):
                self.errors_before = self.count_errors()
                self.policy.write_text(text)
                self.assert_rules_stay()

    def test_parts_that_never_pass_refuse(self):
        self.write(**{INDEX: f"role:auditor or {' or '.join(NEVER)}"})
        self.assertEqual(200, self.list_as("auditor"))
        for roles in ("reader", "admin", ""):
            self.assertEqual(403, self.list_as(roles))
        for part in NEVER:
            self.assertTrue(self.server.log.count(f'"{part}" never passes'))


@base.on_each_database
class PolicyTests(PolicyTestCase):
    def test_target_is_project_of_server(self):
        self.write(**{CREATE: "project_id:%(project_id)s"})
        stranger = self.client("admin", project=uuid.uuid4().hex)
        self.assert_fault(stranger.post(self.path), 404)
        own = self.client("carol", roles="")
        reply = own.post(self.path)
        # Allowed, but there is no console host.
        self.assert_fault(reply, 503)

    def test_rule_about_user(self):
        self.write(**{INDEX: "user_id:dave"})
        self.assertEqual(403, self.list_as("admin"))
        dave = self.client("dave", roles="")
        self.assertEqual(200, dave.get(self.path).status)

    def test_policy_file_written_for_nova(self):
        self.make_console_host()
        self.admin.post(self.path)
        [row] = self.console_rows(self.server_id)
        token = self.issue_token(self.server_id)
        self.policy.write_text(policy_files.SOUND["written for Nova"])
        # By default, a member may show this console.
        console = f"{self.path}/{row.id}"
        self.eventually(lambda: self.member.get(console).status == 403)
        remote = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        look_up = f"/os-console-auth-tokens/{token}"
        for method, path, body, expected in (
            # The owner needs no particular role.
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
        # An administrator of any project is one of the cloud.
        admin = self.client("admin", project=uuid.uuid4().hex)
        self.assertEqual(200, admin.get(self.path).status)
        self.assert_fault(admin.post(self.path), 404)
