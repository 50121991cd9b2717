# SPDX-License-Identifier: Apache-2.0
"""The programs that a benchmark runs: commands, and WSGI applications.

Every application is run by the same class with the same settings, so that the
WSGI server is no part of what differs.
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

_START_SECONDS = 180.0
_STOP_SECONDS = 20.0
_ANSWER_SECONDS = 60.0

#: The beginnings of variables that would steer another Python or Gunicorn.
_STRANGE = ("PYTHON", "GUNICORN", "OS_", "VIRTUAL_ENV", "__PYVENV")


class BenchmarkError(Exception):
    """Something could not be measured; the text says what and why."""


class ProgramFailed(BenchmarkError):
    """A command or a server did not do its work."""


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return a child's environment: ours less what would steer it, and more.

    Programs of another virtual environment must not see this one's settings.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_STRANGE)}
    return kept | dict(more)


def run(
    command: list[str],
    seconds: float = 600.0,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a command and return what it printed.

    :param seconds: how long it may take.
    :param variables: what to add to its environment.
    :raises ProgramFailed: with the end of what it printed.
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
            timeout=seconds,
        )
    except OSError as error:
        raise ProgramFailed(f"{program} does not start: {error}.") from error
    except subprocess.TimeoutExpired as error:
        message = f"{program} was not done after {seconds:.0f} seconds."
        raise ProgramFailed(message) from error
    if done.returncode:
        # Some programs tell their errors on the one, some on the other.
        said = f"{_end_of(done.stdout)}\n{_end_of(done.stderr)}".strip()
        raise ProgramFailed(f"{program} ended with {done.returncode}:\n{said}")
    return done.stdout


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _end_of(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


class GunicornServer:
    """A WSGI application behind Gunicorn, for as long as ``with`` runs.

    Entering waits until every worker has loaded the application and ``check``
    is content, so that no measurement counts start-up or errors.
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
        """Remember what to start; nothing runs before ``with``.

        :param application: the module and the name in it, as Gunicorn wants.
        :param python: the interpreter of the environment that has both.
        :param folder: an existing one, for the log and as working directory.
        :param variables: what to add to the server's environment.
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
        """Start the server and wait for it.

        :raises ProgramFailed: when it ends, answers wrongly, or is not up in
            time; with the end of its log.
        """
        self._start()
        try:
            self._wait()
            self.check()
        except OSError as error:
            self._stop()
            raise self.failure(f"does not answer ({error})") from error
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
            message = f"{self.application} runs in its with block only."
            raise ProgramFailed(message)
        return self._process.pid

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        host, port = self.address
        return f"http://{host}:{port}{path}"

    def status(self, path: str, headers: Mapping[str, str]) -> int:
        """GET a path and return the status of the answer."""
        connection = http.client.HTTPConnection(
            *self.address, timeout=_ANSWER_SECONDS
        )
        try:
            connection.request("GET", path, headers=dict(headers))
            return connection.getresponse().status
        finally:
            connection.close()

    def check(self) -> None:
        """Raise ``failure`` when the answers are not those to be measured."""

    def failure(self, what: str) -> ProgramFailed:
        """Return the error for "this application ...", with its log's end."""
        said = _end_of(self.log.read_text(errors="replace"))
        message = f"{self.application} {what}; its log ends with:\n{said}"
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
        until = time.monotonic() + _START_SECONDS
        while len(list(self._ready.iterdir())) < self.workers:
            if self._process is None or self._process.poll() is not None:
                raise self.failure("ended while it started")
            if time.monotonic() > until:
                raise self.failure("did not come up in time")
            time.sleep(0.05)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
