# SPDX-License-Identifier: Apache-2.0
from console_api_client.tests.base import CONSOLES, STATES, CloudCase
from console_api_client.tests.cloud import fault

RULE = "os_compute_api:os-consoles:"


class RefusalTests(CloudCase):
    def test_missing_role_names_rule_and_remedy(self) -> None:
        self.answers[f"POST {CONSOLES}"] = fault(
            403, f"Policy doesn't allow {RULE}create to be performed."
        )
        self.assert_refused(
            f"for a role that {RULE}create accepts, by default member.",
            *("server", "console", "create", "web-1"),
        )
        self.answers[STATES] = fault(
            403, f"Policy doesn't allow {RULE}list to be performed."
        )
        self.assert_refused(
            "by default reader.", "console", "list", "--server", "web-1"
        )

    def test_missing_role_for_console_hosts_names_administrators(self) -> None:
        rule = "os_compute_api:os-console-hosts:index"
        self.answers["GET console /os-console-hosts"] = fault(
            403, f"Policy doesn't allow {rule} to be performed."
        )
        self.assert_refused(
            "only administrators of the cloud", "console", "host", "list"
        )

    def test_missing_role_for_locks_names_administrators(self) -> None:
        rule = "os_compute_api:os-console-locks:index"
        self.answers["GET console /os-console-locks"] = fault(
            403, f"Policy doesn't allow {rule} to be performed."
        )
        self.assert_refused(
            "only administrators of the cloud", "console", "lock", "list"
        )

    def test_missing_role_for_a_session_names_the_role(self) -> None:
        path = "/os-console-sessions/5c5f0cc6-3c3b-4b6c-9d5e-0a7d3c1f6b52"
        rule = "os_compute_api:os-console-sessions"
        for method, action, name, role in (
            ("GET", "show", "show", "reader"),
            ("DELETE", "delete", "delete", "member"),
        ):
            self.answers[f"{method} console {path}"] = fault(
                403, f"Policy doesn't allow {rule}:{name} to be performed."
            )
            outcome = self.openstack(
                *("console", "session", action, path.rpartition("/")[2]),
                status=1,
            )
            self.assertIn(f"accepts, by default {role}.", outcome.stderr)

    def test_message_does_not_control_the_terminal(self) -> None:
        self.answers[f"POST {CONSOLES}"] = fault(409, "a\x1b[2Jb")
        self.assert_refused(
            r"a\x1b[2Jb", *("server", "console", "create", "web-1")
        )

    def test_error_of_the_server_is_shown_with_its_status(self) -> None:
        message = "No console host serves this server."
        self.answers[f"POST {CONSOLES}"] = fault(503, message)
        self.assert_refused(
            f"The service answered 503: {message}",
            *("server", "console", "create", "web-1"),
        )

    def test_operation_that_the_service_does_not_have_is_refused(self) -> None:
        path = "/os-console-hosts/vnc/console-1"
        self.answers[f"PUT console {path}"] = fault(405, "Method not allowed.")
        self.assert_refused(
            f"The service at {self.cloud.url}/console/v2.1 does not serve",
            *("console", "host", "set", "console-1", "--type", "vnc"),
            "--disable",
        )
