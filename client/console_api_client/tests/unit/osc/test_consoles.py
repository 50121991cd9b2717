# SPDX-License-Identifier: Apache-2.0
from console_api_client.tests.base import (
    CONSOLES,
    PASSWORD,
    STATES,
    CloudCase,
    console,
)
from console_api_client.tests.cloud import OTHER, SERVER, fault

CREATED = {
    "id": 7,
    "console_type": "vnc",
    "host": "consoles.example.org",
    "port": 5919,
}


class ListTests(CloudCase):
    def test_list_has_a_row_for_each_console(self) -> None:
        self.add_consoles(1, 7)
        self.assertEqual(
            [{"ID": number, "Console Type": "vnc"} for number in (1, 7)],
            self.json("server", "console", "list", "web-1"),
        )

    def test_list_of_unknown_uuid_is_refused(self) -> None:
        path = f"/servers/{OTHER}"
        self.answers[f"GET console {path}/consoles"] = (200, {"consoles": []})
        self.answers[f"GET compute {path}"] = fault(
            404, f"Instance {OTHER} could not be found."
        )
        self.assert_refused(
            f"No server with the name or ID {OTHER}",
            *("server", "console", "list", OTHER),
        )

    def test_list_is_empty_if_compute_has_no_servers(self) -> None:
        self.answers[f"GET {CONSOLES}"] = (200, {"consoles": []})
        del self.answers[f"GET compute /servers/{SERVER}"]
        self.assertEqual([], self.json("server", "console", "list", SERVER))


class CreateTests(CloudCase):
    def create(self, *arguments: str) -> object:
        return self.json("server", "console", "create", "web-1", *arguments)

    def test_create_shows_the_console_without_its_password(self) -> None:
        self.add_consoles(7)
        self.assertEqual(CREATED, self.create())
        self.assertIn(f"POST {CONSOLES}", self.cloud.requests)

    def test_create_shows_the_password_on_request(self) -> None:
        self.add_consoles(7)
        self.assertEqual(
            {**CREATED, "password": PASSWORD}, self.create("--show-password")
        )

    def test_create_waits_until_the_console_is_served(self) -> None:
        self.add_consoles(7)
        self.add_states({"state": "pending"}, {"state": "serving"})
        self.assertEqual(CREATED, self.create("--wait"))
        self.assertEqual(2, self.cloud.requests.count(STATES))

    def test_create_stops_waiting_at_the_timeout(self) -> None:
        self.add_consoles(7)
        self.add_states({"state": "pending"})
        self.assert_refused(
            "Console 7 is not served after 1 s.",
            *("server", "console", "create", "web-1"),
            *("--wait", "--timeout", "1"),
        )

    def test_create_reports_a_console_that_cannot_be_served(self) -> None:
        self.add_consoles(7)
        for state, message in (
            (
                {"state": "failed", "reason": "The port is in use."},
                "the console host console-1 reports a failure: The port is in",
            ),
            ({"state": "unknown"}, "the console host console-1 is down."),
        ):
            self.add_states({"console_host": "console-1", **state})
            with self.subTest(state):
                self.assert_refused(
                    message, "server", "console", "create", "web-1", "--wait"
                )

    def test_create_uses_the_console_that_is_served(self) -> None:
        self.add_consoles(3, 7)
        states = [{"id": 3, "state": "unknown"}, {"id": 7, "state": "serving"}]
        self.answers[STATES] = (200, {"consoles": states})
        self.assertEqual(CREATED, self.create())

    def test_invalid_timeouts_are_refused(self) -> None:
        for text in ("0", "-1", "x", ""):
            outcome = self.openstack(
                *("server", "console", "create", "web-1"),
                f"--timeout={text}",
                status=2,
            )
            self.assertIn("must be a whole number", outcome.stderr)


class ShowTests(CloudCase):
    def show(self, *arguments: str) -> object:
        return self.json("server", "console", "show", "web-1", *arguments)

    def test_show_prints_the_console_with_what_is_known_of_it(self) -> None:
        self.add_consoles(7)
        self.add_states(
            {
                "state": "failed",
                "reason": "It is used.",
                "expires_at": "2026-01-15T12:00:00Z",
            }
        )
        self.assertEqual(
            {
                **CREATED,
                "instance_name": "instance-1",
                "state": "failed",
                "reason": "It is used.",
                "expires_at": "2026-01-15T12:00:00Z",
            },
            self.show(),
        )

    def test_show_finds_the_state_in_other_projects(self) -> None:
        self.add_consoles(7)
        self.answers[STATES] = (200, {"consoles": []})
        self.answers[f"{STATES}&all_projects=true"] = self.answers[
            f"GET console /os-consoles?all_projects=true&server_id={SERVER}"
        ] = (200, {"consoles": [{"id": 7, "state": "serving"}]})
        shown = self.show("7")
        assert isinstance(shown, dict)
        self.assertEqual("serving", shown["state"])

    def test_show_works_without_states(self) -> None:
        for number in (0, 7):
            self.add_consoles(number)
            for status in (403, 404, 410, 503):
                self.answers[STATES] = fault(status, "There is no state.")
                self.assertEqual(
                    {**CREATED, "id": number, "instance_name": "instance-1"},
                    self.show(str(number)),
                )

    def test_debug_log_has_no_password(self) -> None:
        self.add_consoles(7)
        outcome = self.openstack(
            "--debug", "server", "console", "show", "web-1"
        )
        self.assertIn(f"/servers/{SERVER}/consoles", outcome.stderr)
        self.assertNotIn(PASSWORD, outcome.stderr + outcome.stdout)

    def test_server_without_console_is_refused_with_a_remedy(self) -> None:
        self.add_consoles()
        self.assert_refused(
            "Server web-1 has no console. To create one, run: openstack "
            "server console create web-1",
            *("server", "console", "show", "web-1"),
        )

    def test_server_that_may_not_exist_is_refused(self) -> None:
        self.add_consoles()
        del self.answers[f"GET compute /servers/{SERVER}"]
        self.assert_refused(
            f"Server {SERVER} has no console, or does not exist.",
            *("server", "console", "show", SERVER),
        )

    def test_one_of_several_consoles_must_be_chosen(self) -> None:
        self.add_consoles(3, 8)
        self.assert_refused(
            "several consoles. Choose one of: 3 (vnc), 8 (vnc)",
            *("server", "console", "show", "web-1"),
        )

    def test_other_ids_than_integers_are_refused(self) -> None:
        for text in ("x", "1.5", "1/2", ""):
            outcome = self.openstack(
                "server", "console", "show", "web-1", text, status=2
            )
            self.assertIn("invalid int", outcome.stderr)


class DeleteTests(CloudCase):
    def test_delete_deletes_all_that_are_named(self) -> None:
        self.add_consoles(1, 2)
        self.openstack("server", "console", "delete", "web-1", "1", "2")
        self.assertEqual(
            [f"DELETE {CONSOLES}/{number}" for number in (1, 2)],
            self.cloud.requests[-2:],
        )

    def test_delete_continues_after_errors(self) -> None:
        self.add_consoles(2)
        for number in (1, 3):
            self.answers[f"DELETE {CONSOLES}/{number}"] = fault(
                404, f"Console {number} could not be found."
            )
        outcome = self.openstack(
            *("server", "console", "delete", "web-1", "1", "2", "3"), status=1
        )
        self.assertIn("Failed to delete 2 of 3 consoles.", outcome.stderr)
        self.assertIn(f"DELETE {CONSOLES}/2", self.cloud.requests)
        for number in (1, 3):
            self.assertIn(f"Console {number} could not be", outcome.stderr)


class ComputeTests(CloudCase):
    """Without a service ``console``, as with the filter or an older Nova."""

    services = ("compute",)

    def test_compute_serves_consoles(self) -> None:
        path = f"compute /servers/{SERVER}/consoles"
        listed = {"consoles": [{"console": {"id": 7}}]}
        self.answers[f"POST {path}"] = (200, None)
        self.answers[f"GET {path}"] = [(200, {"consoles": []}), (200, listed)]
        self.answers[f"GET {path}/7"] = [
            (200, console(7, port=None)),
            (200, console(7, port=None)),
            (200, console(7)),
        ]
        # Nova creates consoles late, and reports no states but a port.
        self.assertEqual(
            CREATED,
            self.json("server", "console", "create", "web-1", "--wait"),
        )

    def test_compute_without_consoles_is_refused_with_a_remedy(self) -> None:
        path = f"/servers/{SERVER}/consoles"
        for status, message in (
            (410, "This resource is no longer available. No forwarding"),
            (404, "The resource could not be found."),
        ):
            self.answers[f"POST compute {path}"] = fault(status, message)
            with self.subTest(status):
                self.assert_refused(
                    f"The service at {self.cloud.url}/compute/v2.1 does not "
                    "serve consoles",
                    *("server", "console", "create", "web-1"),
                )
