# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage server``, on each database."""

import json
import os
import pty
import signal
import uuid

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.manage import (
    LIST,
    TIMEOUT,
    VNC,
    ManageCase,
    end,
)


@base.on_each_database
class ServersTests(ManageCase):
    def count(self):
        return self.database.count(tables.servers)

    def file(self, count):
        """Write a file with servers and return its name."""
        found = [
            {
                "uuid": str(uuid.uuid4()),
                "project_id": "p",
                "name": f"sérver {number}",
                "endpoints": [{"protocol": "vnc", "host": "h", "port": 5900}],
            }
            for number in range(count)
        ]
        return self.write("servers.json", json.dumps(found, indent=1))

    def test_server_is_created_changed_and_deleted(self):
        number = str(uuid.uuid4())
        self.manage(
            *("server", "create", "web", "--project", "p"),
            *("--uuid", number, "--endpoint", VNC),
        )
        self.assertIn("already exists", self.refused(*self.again(number)))
        self.manage(
            *("server", "set", number, "--project", "q"),
            *("--no-endpoint", "vnc"),
            *("--endpoint", "protocol=mks,host=h,port=902,tls_port=903"),
        )
        show = ("server", "show", number)
        shown = json.loads(self.manage(*show, "-f", "json"))
        self.assertEqual("q", shown["project_id"])
        self.assertEqual(["mks"], [e["protocol"] for e in shown["endpoints"]])
        self.manage("server", "delete", number)
        self.assertIn(number, self.refused(*show))
        self.assertIn(number, self.refused("server", "delete", number))

    def again(self, number):
        return ("server", "create", "x", "--project", "p", "--uuid", number)

    def test_import_stores_all_servers_or_none(self):
        name = self.file(3000)
        done = "Imported 3000 servers.\n"
        self.assertEqual(done, self.manage("server", "import", name))
        lines = self.refused("server", "import", name).splitlines()
        self.assertEqual(22, len(lines))
        self.assertIn("line 2 (index 0)", lines[0])
        self.assertIn("is already stored", lines[0])
        self.assertEqual(3000, self.count())
        listed = json.loads(self.manage(*LIST, "-f", "json"))
        self.assertEqual(3000, len({server["uuid"] for server in listed}))

    def test_concurrent_imports_store_servers_once(self):
        name = self.file(2000)
        ends = [
            end(process)
            for process in [
                self.start("server", "import", name) for _ in range(2)
            ]
        ]
        self.assertEqual([0, 1], sorted(status for status, *_ in ends), ends)
        [error] = [stderr for status, _, stderr in ends if status]
        self.assertIn("is already stored", error)
        self.assertEqual(2000, self.count())

    def test_killed_import_stores_nothing(self):
        name = self.file(10_000)
        terminal, other_end = pty.openpty()
        with os.fdopen(terminal, "rb", buffering=0) as screen:
            process = self.start(
                *("server", "import", name),
                stderr=other_end,
                env={**os.environ, "TERM": "xterm"},
            )
            os.close(other_end)
            shown = b""
            # The total is known once the first rows are written.
            while b"/20000" not in shown:
                shown += screen.read(1)
            process.kill()
            process.communicate(timeout=TIMEOUT)
        self.assertEqual(-signal.SIGKILL, process.returncode)
        self.assertEqual(0, self.count())
        done = "Imported 10000 servers.\n"
        self.assertEqual(
            (0, done, ""), end(self.start("server", "import", name))
        )
        self.assertEqual(10_000, self.count())

    def test_list_into_closed_pipe_exits_141(self):
        # What fits into the buffer is written at the end of the program.
        for count in (1, 2000):
            self.manage("server", "import", self.file(count))
            with self.subTest(count):
                process = self.start("server", "list", "-f", "json")
                process.stdout.close()
                process.stdout = None
                status, _, stderr = end(process)
                self.assertEqual((141, ""), (status, stderr))
