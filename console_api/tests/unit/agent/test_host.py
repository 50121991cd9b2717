# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

from console_api import errors
from console_api.agent.host import console_host
from console_api.db.console_hosts import NewConsoleHost
from console_api.tests.unit import base


class ConsoleHostTest(base.FolderCase):
    def host(self, **options: object) -> NewConsoleHost:
        conf = base.load_conf(
            self.folder, {"agent": {"host": "console-1", **options}}
        )
        return console_host(conf, "vnc")

    def test_defaults(self) -> None:
        self.assertEqual(
            NewConsoleHost(
                host="console-1",
                console_type="vnc",
                public_hostname="console-1",
                compute_hosts=("*",),
                min_port=20000,
                max_port=29999,
                multiplex_port=None,
            ),
            self.host(),
        )

    def test_default_host_may_be_invalid_in_dns(self) -> None:
        # The name is read on import, so this takes another process.
        code = (
            "import socket; socket.gethostname = lambda: 'my_machine';"
            "from console_api.conf import agent;"
            "print([o.default for o in agent.OPTS if o.name == 'host'])"
        )
        output = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        self.assertEqual("['my_machine']\n", output)

    def test_options_are_used(self) -> None:
        host = self.host(
            public_hostname="console.example.org",
            compute_hosts="rack-1-*,rack-2-*",
            ports="5900-5900",
        )
        self.assertEqual("console.example.org", host.public_hostname)
        self.assertEqual(("rack-1-*", "rack-2-*"), host.compute_hosts)
        self.assertEqual((5900, 5900), (host.min_port, host.max_port))

    def test_multiplex_port_replaces_range(self) -> None:
        host = self.host(multiplex_port=443)
        self.assertEqual(
            (None, None, 443),
            (host.min_port, host.max_port, host.multiplex_port),
        )

    def test_invalid_option_is_named(self) -> None:
        for name, value in (
            ("ports", "2-1"),
            ("ports", "0-5"),
            ("ports", "5-65536"),
            ("ports", "5"),
            ("ports", "a-b"),
            ("compute_hosts", ""),
            ("compute_hosts", ",".join(f"{n}{'x' * 250}" for n in range(5))),
            ("compute_hosts", "rack-1-* rack-2-*"),
        ):
            with (
                self.subTest(name, value=value),
                self.assertRaisesRegex(errors.ConfigurationError, name),
            ):
                self.host(**{name: value})
