# SPDX-License-Identifier: Apache-2.0
"""HAProxy in front of database servers, for tests."""

import csv
import socket
from collections.abc import Mapping

from console_api.tests import prerequisites
from console_api.tests.functional import configuration, examples
from console_api.tests.functional.services import Service
from console_api.tests.ports import free_port
from console_api.tests.waiting import wait_until


class DatabaseProxy:
    """HAProxy with an example of ``etc/console_api/deploy``."""

    def __init__(self, example: str, changes: Mapping[str, str]) -> None:
        """Start it and wait until it listens.

        :param example: the name of the file
        :param changes: what to replace in it, besides paths, users and the
            address where HAProxy listens
        """
        folder = configuration.temporary_folder()
        self.port = free_port()
        self._socket = folder / "admin.sock"
        settings = examples.write(
            example,
            folder,
            {
                "/dev/log": "stdout format raw",
                "    user haproxy\n    group haproxy\n": "",
                "    chroot /var/lib/haproxy\n": "",
                "/run/haproxy": str(folder),
                **changes,
                "bind 127.0.0.1:": f"bind 127.0.0.1:{self.port} # ",
            },
        )
        program = prerequisites.find_program("haproxy")
        self._service = Service(
            program, "-db", "-f", str(settings), port=self.port
        )
        wait_until(self._socket.exists)

    @property
    def writer(self) -> str | None:
        """The server that new connections reach, None without any."""
        up = self.healthy
        return up[0] if up else None

    @property
    def healthy(self) -> list[str]:
        """The servers that pass their checks, the preferred one first."""
        text = self.command("show stat").removeprefix("# ")
        up = [
            (row["bck"], int(row["sid"]), row["svname"])
            for row in csv.DictReader(text.splitlines())
            if row["act"] + row["bck"] in ("10", "01")
            and row["type"] == "2"
            and row["status"].startswith("UP")
        ]
        return [name for _is_backup, _id, name in sorted(up)]

    def command(self, text: str) -> str:
        """Send a command to the statistics socket; return the answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(f"{text}\n".encode())
            with connection.makefile() as answer:
                return answer.read()

    def stop(self) -> None:
        """Stop it."""
        self._service.stop()
