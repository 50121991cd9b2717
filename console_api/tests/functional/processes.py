# SPDX-License-Identifier: Apache-2.0
"""Programs for tests, forked from a process that has imported what they need.

That is most of what a program does until it is ready.  Each is a process of
its own all the same: it reads its configuration, and makes all that it has.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import reduction
from typing import Any
from unittest import mock

_forked = multiprocessing.get_context("forkserver")
_forked.set_forkserver_preload(
    [
        "gunicorn.app.wsgiapp",
        "gunicorn.workers.gthread",
        "console_api.api.pipeline",
        "console_api.cmd.agent",
        "console_api.agent.drivers.vnc.driver",
        "keystonemiddleware.auth_token",
        "oslo_middleware.healthcheck",
        "pymysql",
        "psycopg2",
    ]
)


class Descriptor:
    """An open file that a program takes along; it is given its number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _detach, (reduction.DupFd(self.number),)


def _detach(descriptor: Any) -> int:
    return int(descriptor.detach())


class Program:
    """A program that runs, with the methods of ``subprocess.Popen``."""

    def __init__(
        self,
        main: Callable[..., object],
        arguments: Sequence[object],
        environment: Mapping[str, str],
        output: int,
    ) -> None:
        """Start it.

        :param main: a function of a module, which is called with the
            arguments; what it returns is what ``sys.exit`` takes
        :param output: the file that standard output and error go to
        """
        self._process = _forked.Process(
            target=_run,
            args=(main, arguments, dict(environment), Descriptor(output)),
            daemon=True,
        )
        # It would import the program that runs the tests.
        with mock.patch.dict(
            sys.modules, {"__main__": types.ModuleType("__main__")}
        ):
            self._process.start()
        pid = self._process.pid
        assert pid is not None
        self.pid = pid

    def poll(self) -> int | None:
        """Return its exit status if it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit status.

        :raises subprocess.TimeoutExpired: it still runs
        """
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired([self._process.name], timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _run(
    main: Callable[..., object],
    arguments: Sequence[object],
    environment: Mapping[str, str],
    output: int,
) -> None:
    for standard in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(output, standard)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(main(*arguments))  # type: ignore[arg-type]
