# SPDX-License-Identifier: Apache-2.0
"""A real libvirtd with real QEMU machines, with its state in one folder."""

import atexit
import contextlib
import os
import signal
import subprocess
from typing import Any

from console_api.tests import prerequisites
from console_api.tests.functional import configuration
from console_api.tests.waiting import wait_until

_TIMEOUT = 60

# The user and group of the daemon if root runs the tests: if root ran it, it
# would be the libvirtd of the whole system.
_UNPRIVILEGED = 65534


class Libvirtd:
    """A libvirtd of an unprivileged user; ``libvirt`` is the module."""

    def __init__(self) -> None:
        """Start the daemon and wait until it accepts connections.

        :raises unittest.SkipTest: it is not installed, and not required
        """
        program = prerequisites.find_program("libvirtd")
        self._emulator = prerequisites.find_program("qemu-system-x86_64")
        try:
            import libvirt  # noqa: PLC0415 - not installed everywhere
        except ImportError:
            prerequisites.skip("libvirt-python is not installed.")
        self.libvirt = libvirt
        self._folder = configuration.temporary_folder()
        self._folder.parent.chmod(0o711)
        socket = self._folder / "libvirt" / "libvirt-sock"
        self.uri = f"qemu+unix:///session?socket={socket}"
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = {
                "user": _UNPRIVILEGED,
                "group": _UNPRIVILEGED,
                "extra_groups": [],
            }
            os.chown(self._folder, _UNPRIVILEGED, _UNPRIVILEGED)
        with (self._folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [program],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self._folder),
                    "XDG_RUNTIME_DIR": str(self._folder),
                    "XDG_CONFIG_HOME": str(self._folder / "config"),
                    "XDG_CACHE_HOME": str(self._folder / "cache"),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **user,
            )
        atexit.register(self.stop)
        self._connection = self._connect()

    def _connect(self) -> Any:
        connections: list[Any] = []

        def connects() -> bool:
            with contextlib.suppress(self.libvirt.libvirtError):
                connections.append(self.libvirt.open(self.uri))
            return bool(connections)

        wait_until(connects)
        return connections[0]

    def run_machine(self, xml: str) -> Any:
        """Start a transient machine.

        :returns: the domain
        """
        return self._connection.createXML(
            xml.replace(
                "<devices>", f"<devices><emulator>{self._emulator}</emulator>"
            )
        )

    def stop(self) -> None:
        """Stop all machines, then the daemon."""
        atexit.unregister(self.stop)
        self.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(self.libvirt.libvirtError):
            for domain in self._connection.listAllDomains():
                domain.destroy()
        self._connection = None
        self.process.terminate()
        self.process.wait(_TIMEOUT)
