# SPDX-License-Identifier: Apache-2.0
import errno
import os
import socket
from unittest import mock

from console_api.net import notify
from console_api.tests.unit import base


class SendTest(base.FolderCase):
    def listen(self, address: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.bind(address)
        listener.settimeout(10)
        return listener

    def send(self, address: str) -> None:
        with mock.patch.dict(os.environ, {"NOTIFY_SOCKET": address}):
            notify.send("READY=1")

    def test_state_is_sent(self) -> None:
        path = str(self.folder / "notify")
        name = f"console_api_{os.getpid()}"
        for address, bound in ((path, path), (f"@{name}", f"\0{name}")):
            with self.subTest(address):
                listener = self.listen(bound)
                self.send(address)
                self.assertEqual(b"READY=1", listener.recv(100))

    def test_missing_socket_is_ignored(self) -> None:
        self.send("")
        self.send(str(self.folder / "missing"))

    def test_file_limit_is_ignored(self) -> None:
        error = OSError(errno.EMFILE, "Too many open files")
        with mock.patch("socket.socket", side_effect=error):
            self.send(str(self.folder / "notify"))
