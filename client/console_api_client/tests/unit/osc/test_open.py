# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from unittest import mock

from console_api_client.tests.base import (
    CONSOLES,
    PASSWORD,
    CloudCase,
    console,
)

DELETION = f"DELETE {CONSOLES}/7"

# Records the arguments, then what it can read of a file.
RECORD = 'printf "%s\\n" "$0" "$@" >"$HOME/arguments"'


class OpenTests(CloudCase):
    def setUp(self) -> None:
        super().setUp()
        # Only the viewers of the test are installed.
        self.environment["PATH"] = f"{self.folder}:/usr/bin:/bin"
        self.add_consoles(7)
        self.add_states({"state": "serving"})

    def open(self, *arguments: str, status: int = 0) -> str:
        """Run the command and return what it has printed."""
        outcome = self.openstack(
            "server", "console", "open", "web-1", *arguments, status=status
        )
        return outcome.stdout + outcome.stderr

    def read(self, name: str) -> str:
        """Read a file that a viewer has written."""
        return (self.folder / name).read_text()

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def assert_secret(self) -> None:
        """Assert that the password was in no argument."""
        self.assertNotIn(PASSWORD, self.read("arguments"))

    def test_remote_viewer_reads_a_private_file(self) -> None:
        self.add_program(
            "remote-viewer",
            f'{RECORD}; cat "$1" >"$HOME/file"; stat -c %a "$1" >"$HOME/mode"',
        )
        self.open()
        self.assert_secret()
        self.assertIn(f"password={PASSWORD}\n", self.read("file"))
        self.assertIn("port=5919\n", self.read("file"))
        self.assertEqual("600\n", self.read("mode"))
        self.assertFalse({name for name in self.files() if ".vv" in name})

    def test_vncviewer_reads_a_pipe(self) -> None:
        self.add_program(
            "xtigervncviewer", f'{RECORD}; od -An -tx1 <"$2" >"$HOME/file"'
        )
        self.open("--viewer", "xtigervncviewer")
        self.assert_secret()
        _, option, _, address = self.read("arguments").splitlines()
        self.assertEqual("-passwd", option)
        self.assertEqual("consoles.example.org::5919", address)
        self.assertEqual("96 6a bb ca b8 18 f2 53", self.read("file").strip())

    def test_known_viewer_keeps_its_options(self) -> None:
        self.add_program("vncviewer", RECORD)
        self.open("--viewer", "vncviewer -ViewOnly '-X509CA=/a b'")
        _, *options, _, _, _ = self.read("arguments").splitlines()
        self.assertEqual(["-ViewOnly", "-X509CA=/a b"], options)

    def test_other_viewer_gets_placeholders_and_variables(self) -> None:
        self.add_program(
            "my-viewer",
            f'{RECORD}; cat "$2" >"$HOME/file"; env >"$HOME/variables"',
        )
        self.open("--viewer", "my-viewer {host}:{port} {password_file}")
        self.assert_secret()
        _, address, _ = self.read("arguments").splitlines()
        self.assertEqual("consoles.example.org:5919", address)
        self.assertEqual(f"{PASSWORD}\n", self.read("file"))
        for line in (
            "CONSOLE_HOST=consoles.example.org",
            "CONSOLE_PORT=5919",
            f"CONSOLE_PASSWORD={PASSWORD}",
        ):
            self.assertIn(f"{line}\n", self.read("variables"))

    def test_screen_sharing_gets_the_password_from_the_clipboard(self) -> None:
        self.add_program("open", RECORD)
        self.add_program("pbcopy", 'cat >"$HOME/clipboard"')
        with mock.patch("sys.platform", "darwin"):
            text = self.open("--viewer", "open")
        self.assert_secret()
        _, wait, url = self.read("arguments").splitlines()
        self.assertEqual("-W", wait)
        self.assertEqual("vnc://consoles.example.org:5919", url)
        self.assertEqual(PASSWORD, self.read("clipboard"))
        self.assertIn("The password is in the clipboard.", text)

    def test_first_installed_viewer_is_started(self) -> None:
        self.environment["PATH"] = str(self.folder)
        outcome = self.open(status=1)
        self.assertIn("No viewer is installed.", outcome)
        # Nothing was created in vain.
        self.assertEqual([], self.cloud.requests)
        for name in ("vncviewer", "remote-viewer"):
            self.add_program(name, RECORD)
            self.open()
            self.assertIn(f"/{name}\n", self.read("arguments"))

    def test_viewer_that_is_not_installed_is_refused(self) -> None:
        for command, message in (
            ("no-such-viewer", "no-such-viewer is not installed."),
            ("virt-viewer", "remote-viewer is not installed."),
            ("", "--viewer requires a command."),
            ("'", "--viewer is not a valid command"),
        ):
            self.environment["PATH"] = str(self.folder)
            with self.subTest(command):
                self.assertIn(
                    message, self.open("--viewer", command, status=1)
                )

    def test_host_that_a_viewer_would_take_for_an_option_is_refused(
        self,
    ) -> None:
        self.add_program("vncviewer", RECORD)
        for host in (
            *("-listen", "via=-oProxyCommand=id", "/home/x.tigervnc", "a b"),
            *("a\nb", "host\n", "", {"a": 1}),
        ):
            with self.subTest(host):
                self.answers[f"GET {CONSOLES}/7"] = (
                    200,
                    console(7, host=host),
                )
                for how in (("--viewer", "vncviewer"), ("--print-vv",)):
                    text = self.open(*how, status=1)
                    self.assertIn("is no host name or address", text)
        self.assertNotIn("arguments", self.files())

    def test_names_and_addresses_are_hosts(self) -> None:
        self.add_program("my-viewer", RECORD)
        for host in ("10.0.0.1", "::1", "fe80::1%eth0", "console_1.example"):
            with self.subTest(host):
                self.answers[f"GET {CONSOLES}/7"] = (
                    200,
                    console(7, host=host),
                )
                self.open("--viewer", "my-viewer {host}")
                self.assertIn(f"\n{host}\n", self.read("arguments"))

    def test_console_without_password_is_refused(self) -> None:
        self.answers[f"GET {CONSOLES}/7"] = (200, console(7, password=None))
        self.assertIn(
            "does not give the password", self.open("--print-vv", status=1)
        )

    def test_machine_without_display_is_refused(self) -> None:
        del self.environment["DISPLAY"]
        self.assertIn("Use --print-vv", self.open(status=1))

    def test_print_vv_prints_a_connection_file(self) -> None:
        del self.environment["DISPLAY"]
        text = self.open("--print-vv")
        self.assertTrue(text.startswith("[virt-viewer]\ntype=vnc\n"), text)
        self.assertIn(f"password={PASSWORD}\n", text)

    def test_console_is_deleted_when_the_viewer_ends(self) -> None:
        self.add_program("vncviewer", "exit 3")
        arguments = ("--viewer", "vncviewer")
        self.assertIn("exited with status 3", self.open(*arguments, status=1))
        self.assertNotIn(DELETION, self.cloud.requests)
        self.open(*arguments, "--delete-on-exit", status=1)
        self.assertIn(DELETION, self.cloud.requests)

    def test_console_is_deleted_if_the_command_is_terminated(self) -> None:
        self.add_program("remote-viewer", "kill $PPID; sleep 60")
        text = self.open("--delete-on-exit", status=143)
        self.assertEqual("", text)
        self.assertIn(DELETION, self.cloud.requests)
        self.assertFalse({name for name in self.files() if ".vv" in name})

    def test_delete_on_exit_needs_a_viewer(self) -> None:
        text = self.open("--print-vv", "--delete-on-exit", status=1)
        self.assertIn("--print-vv starts none", text)
