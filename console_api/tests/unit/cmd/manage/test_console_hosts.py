# SPDX-License-Identifier: Apache-2.0
from typing import Any

from console_api.db import consoles, tables
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER
from console_api.tests.unit.cmd.manage.base import ManageCase

RANGE: dict[str, Any] = {
    "min_port": 5900,
    "max_port": 5909,
    "multiplex_port": None,
}
ONE_PORT: dict[str, Any] = {
    "min_port": None,
    "max_port": None,
    "multiplex_port": 443,
}


class ConsoleHostsCase(ManageCase):
    def list(self) -> Any:
        return self.manage("console-host", "list", "-f", "json").json

    def add_console(self) -> None:
        if not self.rows(tables.servers):
            self.add_server()
        consoles.insert(
            self.database,
            self.console_host(),
            base.new_console(SERVER),
        )


class CreateTest(ConsoleHostsCase):
    def create(self, *arguments: str) -> Any:
        outcome = self.manage("console-host", "create", *arguments)
        self.assertEqual("", outcome.stdout)
        [host] = self.list()
        return host

    def test_optional_values_have_defaults(self) -> None:
        self.assertEqual(
            {
                "host": "h",
                "console_type": "vnc",
                "public_hostname": "h",
                "compute_hosts": ["*"],
                "ports": RANGE,
                "ports_used": 0,
                "consoles": 0,
                "served": None,
                "failed": None,
                "enabled": True,
                "state": "down",
                "last_seen_at": None,
            },
            self.create("h", "--ports", "5900-5909"),
        )

    def test_given_values_are_stored(self) -> None:
        self.assertEqual(
            {
                "host": "h",
                "console_type": "vnc+xvp",
                "public_hostname": "h.example.org",
                "compute_hosts": ["a*", "b?"],
                "ports": ONE_PORT,
                "ports_used": 0,
                "consoles": 0,
                "served": None,
                "failed": None,
                "enabled": False,
                "state": "down",
                "last_seen_at": None,
            },
            self.create(
                *("h", "--type", "vnc+xvp", "--multiplex-port", "443"),
                *("--public-hostname", "h.example.org", "--disable"),
                *("--compute-host", "a*", "--compute-host", "b?"),
                *("--compute-host", "a*"),
            ),
        )

    def test_existing_console_type_is_refused(self) -> None:
        self.add_console_host("h")
        self.assertRefused(
            "already exists. Change it with `console-host set`",
            *("console-host", "create", "h", "--ports", "1-2"),
        )
        self.manage(
            *("console-host", "create", "h", "--ports", "1-2"),
            *("--type", "vnc+xvp"),
        )

    def test_invalid_arguments_store_nothing(self) -> None:
        ports = ("--ports", "1-2")
        long = [f"{number}{'x' * 250}" for number in range(5)]
        for arguments, problem in (
            (("h",), "--ports --multiplex-port is required"),
            (("h", *ports, "--multiplex-port", "3"), "not allowed with"),
            (("h", "--ports", "2-1"), "--ports: must begin with the lower"),
            (("h", "--multiplex-port", "0"), "--multiplex-port: must be a"),
            (("h", *ports, "--enable", "--disable"), "not allowed with"),
            (
                ("h", *ports, "--compute-host", "a b"),
                "must not contain whitespace",
            ),
            (("h", *ports, "--compute-host", ""), "must not be empty"),
            (("a b", *ports), "argument HOST: must not contain whitespace"),
            (("h", *ports, "--type", "x" * 33), "at most 32 characters"),
            (
                ("h", *ports, "--type", "foo"),
                'installed driver (vnc, vnc+xvp), not "foo"',
            ),
            (("h", *ports, "--type", "VNC"), 'not "VNC"'),
            (("h", *ports, "--type", "novnc"), 'not "novnc"'),
            (("h", *ports, "--public-hostname", ""), "must not be empty"),
            (ports, "HOST"),
            (
                ("h", *ports, *(f"--compute-host={text}" for text in long)),
                "at most 1024 characters in total",
            ),
        ):
            with self.subTest(problem):
                self.assertRefused(
                    problem, "console-host", "create", *arguments, status=2
                )
        self.assertEqual([], self.list())


class SetTest(ConsoleHostsCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_console_host()

    def set(self, *arguments: str) -> Any:
        self.manage("console-host", "set", "console-1", *arguments)
        [host] = self.list()
        return host

    def test_set_changes_only_given_value(self) -> None:
        for arguments, change in (
            (("--public-hostname", "new"), {"public_hostname": "new"}),
            (("--compute-host", "new"), {"compute_hosts": ["new"]}),
            (("--multiplex-port", "443"), {"ports": ONE_PORT}),
            (("--ports", "5900-5909"), {"ports": RANGE}),
            (("--disable",), {"enabled": False}),
            (("--enable",), {"enabled": True}),
        ):
            with self.subTest(arguments=arguments):
                [before] = self.list()
                self.assertEqual({**before, **change}, self.set(*arguments))

    def test_ports_in_use_cannot_be_removed(self) -> None:
        self.add_console()
        for ports in (("--ports", "1-2"), ("--multiplex-port", "3")):
            self.assertRefused(
                "Delete those consoles first",
                *("console-host", "set", "console-1", *ports),
            )
        self.assertEqual(RANGE, self.list()[0]["ports"])

    def test_set_without_changes_is_refused(self) -> None:
        self.assertRefused(
            "Nothing to change",
            *("console-host", "set", "console-1"),
            status=2,
        )

    def test_unknown_console_host_is_refused(self) -> None:
        for arguments in (("no",), ("console-1", "--type", "no")):
            self.assertRefused(
                "See `console-host list`",
                *("console-host", "set", *arguments, "--disable"),
            )


class DeleteTest(ConsoleHostsCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_console_host()

    def delete(self, *arguments: str) -> tuple[str, ...]:
        return ("console-host", "delete", "console-1", *arguments)

    def test_console_host_without_consoles_is_deleted(self) -> None:
        self.manage(*self.delete())
        self.assertEqual([], self.list())

    def test_consoles_are_deleted_with_the_option_only(self) -> None:
        self.add_console()
        self.assertRefused("add --with-consoles", *self.delete())
        self.manage(*self.delete("--with-consoles"))
        self.assertEqual([], self.list())
        self.assertEqual([], self.rows(tables.consoles))

    def test_unknown_console_host_is_refused(self) -> None:
        for more in ((), ("--with-consoles",)):
            self.assertRefused(
                "console type xvp could not be found",
                *self.delete("--type", "xvp", *more),
            )
