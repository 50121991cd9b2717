# SPDX-License-Identifier: Apache-2.0
"""The client in a cloud with Keystone and Nova: screens, and the SDK."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from console_api.tests import prerequisites
from console_api.tests.functional import (
    configuration,
    databases,
    documentation,
    keystone,
    nova,
    openstack_command,
    vnc_servers,
)
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.desktop import Desktop, Screen, contains

# The part of the display that no viewer covers with a hint or a cursor.
_UNCOVERED = (0, 180, 320, 240)


class OpenTests(AgentTestCase):
    """Both services are in the catalog; nothing else is configured."""

    backend = "sqlite"

    def choose_server(self):
        # Without the console hosts of other tests for Nova's compute host.
        self.database = configuration.migrate(databases.create(self.backend))
        return self.start_server(self.service_options(), self.database)

    def service_options(self):
        return {
            **self.keystone.options,
            "directory": {"driver": "nova", "cache_seconds": "0"},
            "nova": self.keystone.credentials,
        }

    def all_options(self):
        options = {**super().all_options(), **self.service_options()}
        options["agent"] = {"compute_hosts": self.nova.compute_host}
        return options

    def setUp(self):
        self.keystone = keystone.shared()
        self.nova = nova.shared(self.keystone)
        super().setUp()
        service = self.keystone.add_service(
            "console", f"{self.server.url}/v2.1"
        )
        self.addCleanup(self.keystone.remove_service, service)
        # Its root window has a pattern.
        self.display = vnc_servers.xvnc(None, "-retro")
        self.addCleanup(self.display.stop)
        self.desktop = Desktop()
        self.addCleanup(self.desktop.stop)
        self.project_id = self.keystone.make_project()
        self.server_id = self.nova.make_server(self.project_id)
        self.nova.set_display(self.server_id, self.display.port)
        self.user = self.keystone.make_user(self.project_id, "member")

    def open(self, *arguments):
        """Open the console of the server, which is found by its name."""
        user, password = self.user
        return self.desktop.start(
            openstack_command.PROGRAM,
            *("--os-auth-url", self.keystone.url),
            *("--os-username", user, "--os-password", password),
            *("--os-user-domain-id", "default"),
            *("--os-project-id", self.project_id),
            *("server", "console", "open", "web1", *arguments),
        )

    def assert_display_is_shown(self, opened):
        with Screen(self.display.port) as display:
            picture = display.picture().crop(_UNCOVERED)
        self.assertEqual(2, len(picture.getcolors()))
        with self.desktop.screen() as screen:
            try:
                self.eventually(
                    lambda: (
                        opened.poll() is not None
                        or contains(screen.picture(), picture)
                    )
                )
            except TimeoutError:
                self.fail(self.desktop.errors)
        self.assertIsNone(opened.poll(), self.desktop.errors)

    def assert_password_is_in_no_argument(self):
        path = f"/servers/{self.server_id}/consoles"
        headers = {"X-Auth-Token": self.keystone.admin_token}
        client = self.server.client()
        [listed] = client.get(path, headers=headers).json["consoles"]
        path = f"{path}/{listed['console']['id']}"
        shown = client.get(path, headers=headers).json["console"]
        password = shown["password"].encode()
        self.assertEqual(8, len(password))
        for arguments in _arguments().values():
            self.assertNotIn(password, arguments)

    def close_viewer(self, name):
        """Close the viewer as its window does."""
        [process] = [
            process
            for process, arguments in _arguments().items()
            if arguments.split(b"\0")[0].endswith(name.encode())
            and f"\0DISPLAY=:{self.desktop.port}\0".encode()
            in Path(f"/proc/{process}/environ").read_bytes()
        ]
        os.kill(process, signal.SIGTERM)

    def test_tigervnc_shows_the_display(self):
        viewer = prerequisites.find_program("xtigervncviewer")
        opened = self.open(
            "--viewer",
            f"{viewer} -SecurityTypes VncAuth -NoJPEG -RemoteResize=0",
        )
        self.assert_display_is_shown(opened)
        self.assert_password_is_in_no_argument()
        self.assertEqual(1, len(self.console_rows(self.server_id)))
        self.close_viewer("xtigervncviewer")
        opened.wait()
        self.assertEqual(1, len(self.console_rows(self.server_id)))

    def test_remote_viewer_shows_the_display(self):
        prerequisites.find_program("remote-viewer")
        opened = self.open("--delete-on-exit")
        self.assert_display_is_shown(opened)
        self.assert_password_is_in_no_argument()
        self.close_viewer("remote-viewer")
        opened.wait()
        self.assertEqual([], self.console_rows(self.server_id))

    def test_example_of_the_sdk_guide_works(self):
        """With the clouds.yaml of the guide, and without its hook."""
        user, password = self.user
        [cloud] = documentation.blocks("user/sdk", "yaml")
        connect, use, _ = documentation.blocks("user/sdk", "python")
        hooked = connect.replace("sdk.add_service(connection)\n", "")
        self.assertNotEqual(connect, hooked)
        for hook, script in (("vendor_hook: ", hooked), ("# ", connect)):
            folder = configuration.temporary_folder()
            text = cloud.replace("vendor_hook: ", hook)
            for before, after in (
                ("https://identity.example.org/v3", self.keystone.url),
                ("USER", user),
                ("PASSWORD", password),
                ("project_name: demo", f"project_id: {self.project_id}"),
                ("project_domain_name: Default", ""),
            ):
                self.assertIn(before, text)
                text = text.replace(before, after)
            (folder / "clouds.yaml").write_text(text)
            program = script + use.replace("web-1", "web1")
            ended = subprocess.run(
                [sys.executable, "-c", program],
                check=False,
                cwd=folder,
                env={"HOME": str(folder), "PATH": os.environ["PATH"]},
                capture_output=True,
                text=True,
            )
            self.assertEqual((0, ""), (ended.returncode, ended.stderr))
            console, *listed = ended.stdout.splitlines()
            self.assertRegex(console, r"^127\.0\.0\.1 \d+ \w{8}$")
            [address] = listed
            self.assertTrue(address.startswith(self.server_id), address)
            self.assertTrue(address.endswith(" serving"), address)
            self.assertEqual([], self.console_rows(self.server_id))


def _arguments():
    """Return the arguments of each process, separated by null bytes."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found[int(path.parent.name)] = path.read_bytes()
        except OSError:
            # It has ended.
            continue
    return found


del AgentTestCase
