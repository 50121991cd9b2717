# SPDX-License-Identifier: Apache-2.0
"""Programs for tests, forked from a process that has imported their modules.

Imports take most of the start-up time of a program.  Apart from them, each
program is an ordinary process with a configuration and resources of its own.
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
        "console_api.cmd.gateway",
        "console_api.agent.drivers.vnc.driver",
        "keystonemiddleware.auth_token",
        "oslo_middleware.healthcheck",
        "pymysql",
        "psycopg2",
    ]
)


class Descriptor:
    """An open file that a program inherits; it receives the descriptor."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _detach, (reduction.DupFd(self.number),)


def _detach(descriptor: Any) -> int:
    return int(descriptor.detach())


class Program:
    """A running program, with the methods of ``subprocess.Popen``."""

    def __init__(
        self,
        main: Callable[..., object],
        arguments: Sequence[object],
        environment: Mapping[str, str],
        output: int,
    ) -> None:
        """Start the program.

        :param main: a module-level function to call with the arguments; its
            result is passed to ``sys.exit``
        :param output: file descriptor for standard output and error
        """
        self._process = _forked.Process(
            target=_run,
            args=(main, arguments, dict(environment), Descriptor(output)),
            daemon=True,
        )
        # Otherwise it would import the main module of the test runner.
        with mock.patch.dict(
            sys.modules, {"__main__": types.ModuleType("__main__")}
        ):
            self._process.start()
        pid = self._process.pid
        assert pid is not None
        self.pid = pid

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it exits; return the exit status.

        :param timeout: in seconds
        :raises subprocess.TimeoutExpired: it is still running
        """
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired([self._process.name], timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal if it is running."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
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
