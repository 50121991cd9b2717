# SPDX-License-Identifier: Apache-2.0
from openstack import exceptions
from openstack.compute.v2 import server

from console_api_client.tests.base import (
    CONSOLES,
    PASSWORD,
    STATES,
    CloudCase,
)
from console_api_client.tests.cloud import SERVER, fault


class ConsoleTests(CloudCase):
    def test_created_console_has_all_values(self) -> None:
        self.add_consoles(7)
        console = self.connect().create_console(SERVER)
        self.assertEqual(
            (7, "consoles.example.org", 5919, PASSWORD),
            (console.id, console.host, console.port, console.password),
        )

    def test_server_may_be_a_resource(self) -> None:
        self.add_consoles(7)
        [console] = self.connect().server_consoles(server.Server(id=SERVER))
        self.assertEqual((7, SERVER), (console.id, console.server_id))

    def test_password_is_not_in_the_text_of_a_console(self) -> None:
        self.add_consoles(7)
        console = self.connect().get_console(SERVER, 7)
        self.assertEqual(f"Console(server {SERVER}, id 7)", repr(console))

    def test_consoles_of_a_project_are_listed_with_their_state(self) -> None:
        self.answers["GET console /os-consoles"] = (
            200,
            {"consoles": [{"id": 7, "server_id": SERVER, "state": "serving"}]},
        )
        [console] = self.connect().consoles()
        self.assertEqual(
            (SERVER, "serving"), (console.server_id, console.state)
        )

    def test_wait_returns_the_console_that_is_served(self) -> None:
        self.add_consoles(7)
        self.add_states({"state": "pending"}, {"state": "serving"})
        console = self.connect().wait_for_console(SERVER, 7, interval=0.01)
        self.assertEqual(5919, console.port)

    def test_wait_raises_timeout(self) -> None:
        self.add_states({"state": "pending"})
        with self.assertRaises(exceptions.ResourceTimeout):
            self.connect().wait_for_console(SERVER, 7, wait=0)

    def test_wait_raises_failure(self) -> None:
        for state in ("failed", "unknown"):
            self.add_states({"state": state, "console_host": "console-1"})
            with (
                self.subTest(state),
                self.assertRaisesRegex(
                    exceptions.ResourceFailure, "console-1"
                ),
            ):
                self.connect().wait_for_console(SERVER, 7)

    def test_refusal_raises_an_error_with_the_message(self) -> None:
        self.answers[f"GET {CONSOLES}/7"] = fault(403, "You may not.")
        with self.assertRaises(exceptions.ForbiddenException) as caught:
            self.connect().get_console(SERVER, 7)
        self.assertIn("You may not.", str(caught.exception))

    def test_error_while_waiting_is_raised(self) -> None:
        self.answers[STATES] = fault(503, "The database is unavailable.")
        with self.assertRaisesRegex(exceptions.HttpException, "database"):
            self.connect().wait_for_console(SERVER, 7)


class ConsoleHostTests(CloudCase):
    def test_console_host_is_disabled(self) -> None:
        request = "PUT console /os-console-hosts/vnc/console-1"
        document = {"console_host": {"host": "console-1", "enabled": False}}
        self.answers[request] = (200, document)
        host = self.connect().update_console_host(
            "console-1", "vnc", is_enabled=False
        )
        self.assertEqual(("console-1", False), (host.host, host.is_enabled))


class SessionTests(CloudCase):
    PATH = "console /os-console-sessions"

    def test_sessions_of_all_pages_are_listed(self) -> None:
        following = (
            f"{self.cloud.url}/console/v2.1/os-console-sessions?marker=a"
        )
        self.answers[f"GET {self.PATH}"] = (
            200,
            {
                "sessions": [{"id": "a", "view_only": True}],
                "sessions_links": [{"rel": "next", "href": following}],
            },
        )
        self.answers[f"GET {self.PATH}?marker=a"] = (
            200,
            {"sessions": [{"id": "b", "view_only": False}]},
        )
        found = self.connect().console_sessions()
        self.assertEqual(
            [("a", True), ("b", False)],
            [(session.id, session.is_view_only) for session in found],
        )

    def test_session_is_read_and_cut(self) -> None:
        self.answers[f"GET {self.PATH}/a"] = (
            200,
            {"session": {"id": "a", "bytes_out": 7}},
        )
        self.answers[f"DELETE {self.PATH}/a"] = (204, None)
        service = self.connect()
        self.assertEqual(7, service.get_console_session("a").bytes_out)
        service.delete_console_session("a")

    def test_unknown_session_raises_an_error(self) -> None:
        for method in ("GET", "DELETE"):
            self.answers[f"{method} {self.PATH}/a"] = fault(404, "Not found.")
        service = self.connect()
        with self.assertRaises(exceptions.NotFoundException):
            service.get_console_session("a")
        with self.assertRaises(exceptions.NotFoundException):
            service.delete_console_session("a")


class LockTests(CloudCase):
    def test_lock_is_set_listed_and_deleted(self) -> None:
        path = "console /os-console-locks"
        lock = {"scope": "host", "name": "a/b", "reason": "Repair"}
        self.answers[f"PUT {path}/host/a%2Fb"] = (200, {"lock": lock})
        self.answers[f"GET {path}"] = (200, {"locks": [lock]})
        self.answers[f"DELETE {path}/host/a%2Fb"] = (204, None)
        service = self.connect()
        self.assertEqual(
            "Repair", service.set_console_lock("host", "a/b", "Repair").reason
        )
        self.assertEqual(
            {"lock": {"reason": "Repair"}},
            self.cloud.bodies[f"PUT {path}/host/a%2Fb"],
        )
        [found] = service.console_locks()
        self.assertEqual(("host", "a/b"), (found.scope, found.name))
        service.delete_console_lock("host", "a/b")
