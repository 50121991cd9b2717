# SPDX-License-Identifier: Apache-2.0
"""Third-party programs that listen on a port, for tests."""

import atexit
import signal
import subprocess

from console_api.tests.functional import configuration
from console_api.tests.ports import is_free
from console_api.tests.waiting import wait_until

# Seconds that a program has to exit before it is killed.
_STOP_TIMEOUT = 10


def wait_until_listening(
    process: "subprocess.Popen[bytes]", port: int
) -> bool:
    """Wait until a program listens on a port, or has exited.

    :returns: whether it listens
    """
    wait_until(lambda: process.poll() is not None or not is_free(port))
    return process.poll() is None


class Service:
    """A program that listens on the loopback address."""

    def __init__(self, *arguments: str, port: int) -> None:
        """Start it and wait until it listens.

        :param arguments: the command
        :raises RuntimeError: it exited; has its output
        """
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
        if not wait_until_listening(self.process, port):
            self.stop()
            raise RuntimeError(self.log)

    @property
    def log(self) -> str:
        """Everything printed until now."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """Terminate it, even if it is suspended; kill it if it hangs.

        Xvnc removes its lock files in /tmp only if it is not killed.
        """
        atexit.unregister(self.stop)
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
