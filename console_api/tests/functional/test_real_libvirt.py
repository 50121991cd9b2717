# SPDX-License-Identifier: Apache-2.0
"""The directory `libvirt`, with a real libvirtd and a real QEMU machine."""

import re
import signal
import uuid

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.libvirt_daemon import Libvirtd
from console_api.tests.functional.rfb_client import RFBClient
from console_api.tests.functional.servers import Server
from console_api.tests.unit.directory.libvirt import domains


class RealLibvirtTest(base.FunctionalTestCase):
    """Servers come from libvirtd only."""

    backend = "sqlite"

    def choose_server(self) -> Server:
        self.libvirtd = Libvirtd()
        self.addCleanup(self.libvirtd.stop)
        return self.start_server(
            {
                "directory": {"driver": "libvirt", "cache_seconds": "0"},
                "libvirt": {
                    "uris": f"127.0.0.1={self.libvirtd.uri}",
                    "timeout": "2",
                    "gone_after": "0",
                },
                "remote_consoles": {"novnc_base_url": "http://proxy/vnc.html"},
            }
        )

    def setUp(self) -> None:
        super().setUp()
        self.make_console_host(compute_hosts="127.0.0.1")
        self.server_id = str(uuid.uuid4())
        self.path = f"/servers/{self.server_id}/consoles"
        self.machine = self.libvirtd.run_machine(
            domains.domain(
                domains.graphics("vnc", 'port="-1" autoport="yes"', "0.0.0.0"),
                uuid=self.server_id,
                kind="qemu",
                metadata=re.sub(
                    '(?<=project uuid=")[^"]*', self.project, domains.METADATA
                ),
            )
        )

    def test_console_follows_libvirt_domain(self):
        self.assertEqual(200, self.member.post(self.path).status)
        [row] = self.console_rows(self.server_id)
        self.assertEqual("instance-00000001", row.instance_name)
        reply = self.client("user", project="another").post(self.path)
        self.assert_fault(reply, 404)
        self.connect_to_screen()
        # Nothing is deleted while the daemon hangs,
        self.libvirtd.process.send_signal(signal.SIGSTOP)
        self.assert_fault(self.member.get(self.path), 503)
        self.assertIn("TimeoutError", self.server.log)
        self.assertEqual([row], self.console_rows(self.server_id))
        self.libvirtd.process.send_signal(signal.SIGCONT)
        self.eventually(lambda: self.member.get(self.path).status == 200)
        # but when the machine is gone,
        self.machine.destroy()
        self.assert_fault(self.member.post(self.path), 404)
        self.assertEqual([], self.console_rows(self.server_id))
        self.assertEqual(0, self.count_tokens(self.server_id))
        # and nothing when the daemon dies with an open connection.
        self.make_server(uuid=self.server_id)
        self.libvirtd.process.kill()
        self.libvirtd.process.wait()
        self.assert_fault(self.member.get(self.path), 503)
        self.assertIn("libvirtError", self.server.log)
        table = tables.servers
        where = table.c.uuid == self.server_id
        self.assertEqual(1, self.database.count(table, where))

    def connect_to_screen(self):
        token = self.issue_token(self.server_id)
        path = f"/os-console-auth-tokens/{token}"
        console = self.admin.get(path, version="2.31").json["console"]
        self.assertEqual("127.0.0.1", console["host"])
        with RFBClient(console["port"]) as viewer:
            self.assertEqual(b"RFB 003.008\n", viewer.receive(12))
