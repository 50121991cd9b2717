# SPDX-License-Identifier: Apache-2.0
"""Run commands and WSGI applications.

All applications run behind the same WSGI server with the same settings, so
that it does not account for differences between them.
"""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import gunicorn_settings

_START_TIMEOUT = 180.0
_STOP_TIMEOUT = 20.0
_RESPONSE_TIMEOUT = 60.0

# Prefixes of variables that would affect another Python or Gunicorn.
_DROPPED = ("PYTHON", "GUNICORN", "OS_", "VIRTUAL_ENV", "__PYVENV")


class BenchmarkError(Exception):
    """A measurement failed; the message says which and why."""


class ProgramFailed(BenchmarkError):
    """A command or a server failed."""


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child process.

    Programs of another virtual environment must not see the settings of this
    one.

    :param more: variables to add
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
    return kept | dict(more)


def run(
    command: list[str],
    timeout: float = 600.0,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a command and return its standard output.

    :param timeout: in seconds
    :param variables: environment variables to add
    :raises ProgramFailed: it failed; has the end of its output
    """
    program = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            env=environment(variables or {}),
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
        )
    except OSError as error:
        raise ProgramFailed(
            f"{program} cannot be started: {error}."
        ) from error
    except subprocess.TimeoutExpired as error:
        message = f"{program} took more than {timeout:.0f} seconds."
        raise ProgramFailed(message) from error
    if done.returncode:
        # Some programs print their errors to standard output.
        output = f"{_end_of(done.stdout)}\n{_end_of(done.stderr)}".strip()
        message = f"{program} exited with {done.returncode}:\n{output}"
        raise ProgramFailed(message)
    return done.stdout


def free_port() -> int:
    """Return a port on which no program was listening a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _end_of(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


class GunicornServer:
    """A WSGI application behind Gunicorn, running inside a ``with`` block.

    The block starts after each worker has loaded the application and
    ``check`` has passed, so that no measurement includes start-up or errors.
    """

    def __init__(
        self,
        application: str,
        *,
        python: Path,
        folder: Path,
        port: int,
        workers: int = 1,
        threads: int = 4,
        host: str = "127.0.0.1",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the settings; the server starts with the ``with`` block.

        :param application: ``MODULE:NAME``, as Gunicorn expects it
        :param python: the interpreter of an environment that has both
        :param folder: an existing folder for the log, the working directory
        :param variables: environment variables to add
        """
        self.application = application
        self.address = (host, port)
        self.workers = workers
        self.threads = threads
        self.log = folder.absolute() / "server.log"
        self._python = python.absolute()
        self._ready = folder.absolute() / "ready"
        self._variables = dict(variables or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the server and wait until it is ready.

        :raises ProgramFailed: it fails, or takes too long; has the end of
            its log
        """
        self._start()
        try:
            self._wait()
            self.check()
        except OSError as error:
            self._stop()
            raise self.failure(f"does not respond ({error})") from error
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server and its workers."""
        self._stop()

    @property
    def pid(self) -> int:
        """The process id of Gunicorn's arbiter, the workers' parent."""
        if self._process is None:
            message = f"{self.application} only runs in its with block."
            raise ProgramFailed(message)
        return self._process.pid

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        host, port = self.address
        return f"http://{host}:{port}{path}"

    def status(self, path: str, headers: Mapping[str, str]) -> int:
        """Send a GET request and return the status of the response."""
        connection = http.client.HTTPConnection(
            *self.address, timeout=_RESPONSE_TIMEOUT
        )
        try:
            connection.request("GET", path, headers=dict(headers))
            return connection.getresponse().status
        finally:
            connection.close()

    def check(self) -> None:
        """Check that the responses are the expected ones.

        :raises ProgramFailed: they are not
        """

    def failure(self, what: str) -> ProgramFailed:
        """Return an error about the application, with the end of its log.

        :param what: the rest of the sentence
        """
        log = _end_of(self.log.read_text(errors="replace"))
        message = f"{self.application} {what}; its log ends with:\n{log}"
        return ProgramFailed(message)

    def _start(self) -> None:
        self._ready.mkdir(exist_ok=True)
        for old in self._ready.iterdir():
            old.unlink()
        host, port = self.address
        ready = {gunicorn_settings.READY_FOLDER: str(self._ready)}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._python), "-m", "gunicorn"),
                    *("--config", gunicorn_settings.__file__),
                    *("--bind", f"{host}:{port}"),
                    *("--workers", str(self.workers)),
                    *("--threads", str(self.threads)),
                    *("--worker-class", "gthread"),
                    self.application,
                ],
                cwd=self.log.parent,
                env=environment(self._variables | ready),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self) -> None:
        until = time.monotonic() + _START_TIMEOUT
        while len(list(self._ready.iterdir())) < self.workers:
            if self._process is None or self._process.poll() is not None:
                raise self.failure("exited during start-up")
            if time.monotonic() > until:
                raise self.failure("took too long to start")
            time.sleep(0.05)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
