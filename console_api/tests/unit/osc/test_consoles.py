# SPDX-License-Identifier: Apache-2.0
import socket
from typing import Any
from unittest import mock

from openstack import exceptions as sdk_exceptions
from osc_lib import exceptions

from console_api.osc import consoles, wait
from console_api.tests.unit.osc.base import (
    CONSOLES,
    SERVER,
    STATES,
    CommandCase,
)


def response(number: int, port: int | None = 5900) -> dict[str, Any]:
    return {
        "console": {
            "id": number,
            "console_type": "vnc",
            "host": "127.0.0.1",
            "port": port,
            "password": "secret",
            "instance_name": "instance-1",
        }
    }


class ConsolesCase(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(wait, "_INTERVAL", 0.01))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.port = self.listener.getsockname()[1]


class ListTest(ConsolesCase):
    def test_list_has_a_row_for_each_console(self) -> None:
        self.add_consoles(1, 7)
        columns, rows = self.run_command(consoles.ListConsole, SERVER)
        self.assertEqual(("ID", "Console Type"), columns)
        self.assertEqual([(1, "vnc"), (7, "vnc")], rows)

    def test_list_raises_errors_of_the_api(self) -> None:
        self.answers["get", CONSOLES] = (403, {})
        with self.assertRaises(sdk_exceptions.ForbiddenException):
            self.run_command(consoles.ListConsole, SERVER)


class CreateTest(ConsolesCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers["post", CONSOLES] = (200, None)
        self.add_consoles(3)

    def test_create_lists_all_consoles(self) -> None:
        _, rows = self.run_command(consoles.CreateConsole, SERVER)
        self.assertEqual([(3, "vnc")], rows)
        self.assertEqual(
            [("post", CONSOLES), ("get", CONSOLES)], self.requests
        )

    def test_create_waits_until_the_port_is_open(self) -> None:
        answers = [(200, response(3, port)) for port in (None, self.port)]
        self.answers["get", f"{CONSOLES}/3"] = answers
        self.run_command(consoles.CreateConsole, SERVER, "--wait")
        self.assertEqual([], answers)

    def test_create_stops_waiting_at_the_timeout(self) -> None:
        # Bound, so that no other program listens on its port.
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            self.answers["get", f"{CONSOLES}/3"] = (200, response(3, port))
            with self.assertRaisesRegex(exceptions.CommandError, "not accept"):
                self.run_command(
                    consoles.CreateConsole, SERVER, "--wait", "--timeout", "1"
                )

    def test_invalid_timeouts_are_refused(self) -> None:
        for text in ("0", "-1", "x", ""):
            self.assertUsage(
                "must be a whole number",
                *(consoles.CreateConsole, SERVER, f"--timeout={text}"),
            )


class ShowTest(ConsolesCase):
    def test_show_prints_the_given_console(self) -> None:
        for number in (0, 5):
            self.answers["get", f"{CONSOLES}/{number}"] = (
                200,
                response(number),
            )
            columns, values = self.run_command(
                consoles.ShowConsole, SERVER, str(number)
            )
            self.assertEqual(
                response(number)["console"],
                dict(zip(columns, values, strict=True)),
            )

    def show_state(self, *answers: Any) -> dict[str, Any]:
        self.answers["get", STATES] = [*answers]
        self.answers["get", f"{CONSOLES}/5"] = (200, response(5))
        columns, values = self.run_command(consoles.ShowConsole, SERVER, "5")
        shown = dict(zip(columns, values, strict=True))
        self.assertEqual([], self.answers["get", STATES])
        return {
            name: value
            for name, value in shown.items()
            if name not in response(5)["console"]
        }

    def test_show_prints_state_and_reason(self) -> None:
        empty: Any = (200, {"consoles": []})
        serving, failed = (
            (200, {"consoles": [{"id": 4, "state": "pending"}, found]})
            for found in (
                {"id": 5, "state": "serving"},
                {"id": 5, "state": "failed", "reason": "It is used."},
            )
        )
        for answers, expected in (
            ([serving], {"state": "serving"}),
            ([failed], {"state": "failed", "reason": "It is used."}),
            # Of another project.
            ([empty, serving], {"state": "serving"}),
            ([empty, (403, {})], {}),
            ([(404, {})], {}),
            ([(503, {})], {}),
        ):
            with self.subTest(answers):
                self.assertEqual(expected, self.show_state(*answers))

    def test_show_finds_the_only_console(self) -> None:
        self.add_consoles(5)
        self.answers["get", f"{CONSOLES}/5"] = (200, response(5))
        _, values = self.run_command(consoles.ShowConsole, SERVER)
        self.assertEqual(5, values[0])

    def test_show_without_id_needs_exactly_one_console(self) -> None:
        for ids, message in (
            ((), "has no console. To create one, run: openstack server"),
            ((3, 8), "has several consoles. Choose one of: 3, 8"),
        ):
            self.add_consoles(*ids)
            with self.assertRaisesRegex(exceptions.CommandError, message):
                self.run_command(consoles.ShowConsole, SERVER)

    def test_show_refuses_other_ids_than_integers(self) -> None:
        for text in ("x", "1.5", "1/2", ""):
            self.assertUsage("invalid int", consoles.ShowConsole, SERVER, text)


class DeleteTest(ConsolesCase):
    def delete(self, *arguments: str) -> None:
        self.run_command(consoles.DeleteConsole, SERVER, *arguments)

    def test_delete_continues_after_errors(self) -> None:
        for number, status in ((1, 404), (2, 202), (3, 404)):
            self.answers["delete", f"{CONSOLES}/{number}"] = (status, {})
        with (
            self.assertLogs("console_api.osc.consoles", "ERROR") as logs,
            self.assertRaisesRegex(exceptions.CommandError, "delete 2 of 3"),
        ):
            self.delete("1", "2", "3")
        self.assertEqual(2, len(logs.output))
        self.assertEqual(3, len(self.requests))

    def test_delete_without_wait_sends_one_request(self) -> None:
        self.answers["delete", f"{CONSOLES}/1"] = (202, None)
        self.delete("1")
        self.assertEqual([("delete", f"{CONSOLES}/1")], self.requests)

    def prepare(self, port: int | None) -> None:
        self.answers["get", f"{CONSOLES}/1"] = (200, response(1, port))
        self.answers["delete", f"{CONSOLES}/1"] = (202, None)

    def test_delete_waits_until_the_port_is_closed(self) -> None:
        self.prepare(self.port)
        with mock.patch.object(
            wait, "accepts", side_effect=[True, True, False]
        ) as accepts:
            self.delete("1", "--wait")
        self.assertEqual(3, accepts.call_count)

    def test_delete_does_not_wait_for_an_unknown_port(self) -> None:
        self.prepare(None)
        self.delete("1", "--wait")

    def test_delete_stops_waiting_at_the_timeout(self) -> None:
        self.prepare(self.port)
        with (
            self.assertLogs("console_api.osc.consoles", "ERROR") as logs,
            self.assertRaisesRegex(exceptions.CommandError, "delete 1 of 1"),
        ):
            self.delete("1", "--wait", "--timeout", "1")
        self.assertIn(f"127.0.0.1 port {self.port} still", logs.output[0])

    def test_delete_needs_a_console(self) -> None:
        self.assertUsage("<console>", consoles.DeleteConsole, SERVER)
