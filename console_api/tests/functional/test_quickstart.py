# SPDX-License-Identifier: Apache-2.0
"""The quickstart, viewed with an independent VNC client."""

import functools
import json
import re
import shlex
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from console_api.tests import prerequisites
from console_api.tests.functional import (
    client,
    configuration,
    openstack_command,
    vnc_servers,
)
from console_api.tests.ports import free_port, is_free
from console_api.tests.waiting import wait_until

PROGRAM = str(Path(sys.executable).parent / "console-api-quickstart")

TIMEOUT = 60

BARS = [
    (255, 255, 255),
    (255, 255, 0),
    (0, 255, 255),
    (0, 255, 0),
    (255, 0, 255),
    (255, 0, 0),
    (0, 0, 255),
    (0, 0, 0),
]


class QuickstartCase(unittest.TestCase):
    def setUp(self):
        self.state = configuration.temporary_folder() / "state"
        self.port = free_port()
        self.gateway_port = free_port()
        self.output = ""
        self.server_id = None
        # In a background job, SIGINT may be ignored, and child processes
        # would inherit that.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)

    def start(self):
        """Start the quickstart and return its process once it is ready."""
        process = subprocess.Popen(
            [
                PROGRAM,
                *("--port", str(self.port)),
                *("--gateway-port", str(self.gateway_port)),
                *("--state-dir", self.state),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(self.end, process, signal.SIGTERM)
        output = ""
        for line in process.stdout:
            output += line
            if "Stop with Ctrl-C" in line:
                break
        else:
            self.fail(output)
        self.output = output
        [self.server_id] = re.findall(r"sample server (\S+) is", output)
        return process

    def end(self, process, number=signal.SIGINT):
        """Stop the process as Ctrl-C does and return its exit status."""
        if process.poll() is None:
            process.send_signal(number)
        process.wait(TIMEOUT)
        process.stdout.close()
        return process.returncode

    def call(self, method, path=""):
        found = client.Client(self, user="user", project="demo")
        reply = found.request(
            method, f"/servers/{self.server_id}/consoles{path}"
        )
        self.assertIn(reply.status, (200, 202), reply.body)
        return reply

    def make_console(self):
        self.call("POST")
        [entry] = self.call("GET").json["consoles"]
        path = f"/{entry['console']['id']}"
        return self.call("GET", path).json["console"]

    def capture(self, console):
        wait_until(lambda: not is_free(console["port"]))
        return vnc_servers.capture(console["port"], console["password"])


class QuickstartTest(QuickstartCase):
    def assert_refuses(self, message, port, folder, prefix=()):
        """Assert that a quickstart fails with a message of one line."""
        done = subprocess.run(
            [
                *(*prefix, PROGRAM, "--port", str(port)),
                *("--gateway-port", str(free_port())),
                *("--state-dir", folder),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        self.assertEqual(1, done.returncode)
        self.assertIn(message, done.stderr)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)

    def test_unusable_database_is_reported(self):
        path = self.state / "console_api.sqlite"
        path.mkdir(parents=True)
        self.assert_refuses("cannot be opened", self.port, self.state)
        path.rmdir()
        # It fits into neither a file of this size nor a full disk.
        limit = ("prlimit", f"--fsize={64 * 1024}")
        self.assert_refuses("Check its disk", self.port, self.state, limit)
        path.write_bytes(b"not a database" * 1000)
        self.assert_refuses("is damaged", self.port, self.state)

    def test_screen_is_shown_again_after_a_restart(self):
        process = self.start()
        picture = self.capture(self.make_console())
        self.assertEqual((320, 240), picture.size)
        self.assertEqual(
            BARS, [picture.getpixel((x, 120)) for x in range(20, 320, 40)]
        )
        self.assertEqual(0, self.end(process))
        # The second start keeps the console and serves the screen again.
        process = self.start()
        again = self.capture(self.make_console())
        self.assertEqual(picture.tobytes(), again.tobytes())

    def test_printed_openstack_commands_work(self):
        self.start()
        [path] = re.findall(r"export OS_CLIENT_CONFIG_FILE=(\S+)", self.output)
        commands = re.findall(r"^  openstack (.+)", self.output, re.MULTILINE)
        printed = [
            openstack_command.call(
                {"OS_CLIENT_CONFIG_FILE": path}, *shlex.split(command)
            )
            for command in (f"{command} -f json" for command in commands)
        ]
        self.assertEqual(3, len(printed))
        created, listed, hosts = map(json.loads, printed)
        [console] = self.call("GET").json["consoles"]
        self.assertEqual([console["console"]["id"]], [created["id"]])
        self.assertEqual([created["id"]], [each["ID"] for each in listed])
        self.assertEqual(["up"], [host["State"] for host in hosts])

    def test_printed_request_creates_a_remote_console(self):
        self.start()
        [words] = [
            shlex.split(line)
            for line in self.output.splitlines()
            if line.endswith("/remote-consoles")
        ]
        found = client.Client(self, user="user", project="demo", version="2.6")
        reply = found.post(
            f"/servers/{self.server_id}/remote-consoles",
            json.loads(words[words.index("-d") + 1]),
        )
        self.assertEqual(200, reply.status, reply.body)

    def test_sighup_stops_all_processes(self):
        process = self.start()
        console = self.make_console()
        self.capture(console)
        self.assertEqual(0, self.end(process, signal.SIGHUP))
        for port in (self.port, console["port"]):
            self.assertTrue(is_free(port))

    def test_port_or_folder_in_use_is_reported(self):
        process = self.start()
        other = self.state.with_name("other")
        for port, folder, message in (
            (self.port, other, "Choose another one with --port"),
            (free_port(), self.state, f"Another quickstart uses {self.state}"),
            (self.port, self.state, f"Another quickstart uses {self.state}"),
        ):
            with self.subTest(port=port, folder=folder):
                self.assert_refuses(message, port, folder)
        self.make_console()
        self.assertEqual(0, self.end(process))

    def test_files_in_existing_folder_are_private(self):
        self.state.mkdir(mode=0o755)
        process = self.start()
        self.make_console()
        for path in self.state.rglob("*"):
            with self.subTest(path.name):
                self.assertEqual(0, path.stat().st_mode & 0o077)
        self.assertEqual(0, self.end(process))
        self.assertTrue((self.state / "console_api.log").exists())

    def test_killed_quickstart_leaves_no_processes(self):
        prerequisites.find_program("setpriv")
        process = self.start()
        console = self.make_console()
        self.capture(console)
        self.end(process, signal.SIGKILL)
        for port in (self.port, console["port"]):
            wait_until(functools.partial(is_free, port))
        # The next one is not refused.
        self.assertEqual(0, self.end(self.start()))
