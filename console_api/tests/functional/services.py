# SPDX-License-Identifier: Apache-2.0
"""Programs of others that listen on a port, for tests."""

import atexit
import contextlib
import signal
import subprocess
import time

from console_api.tests.functional import configuration
from console_api.tests.unit.ports import is_free

_TIMEOUT = 60


class Service:
    """A program that listens on the loopback address."""

    def __init__(self, *arguments: str, port: int) -> None:
        """Start it and wait until it listens."""
        self.port = port
        self._log = configuration.temporary_folder() / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        atexit.register(self.stop)
        deadline = time.monotonic() + _TIMEOUT
        while is_free(port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(self._log.read_text(errors="replace"))
            # Nothing tells when it listens: it is asked again.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.01)

    def stop(self) -> None:
        """End it at once, whatever state it is in."""
        atexit.unregister(self.stop)
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
