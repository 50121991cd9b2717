# SPDX-License-Identifier: Apache-2.0
"""The program: ``[-n] [-v] -c CONF -l LOG -p PIDFILE``."""

import argparse
import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

from console_api.tests.functional.xvp_stand_in.configuration import (
    Configuration,
    Fatal,
)
from console_api.tests.functional.xvp_stand_in.session import Closed, Session

# Seconds after a client connects in which a reload is fatal.  Tests of that
# use a longer time, to be reliable on a busy machine.
RACE = float(os.environ.get("XVP_STAND_IN_RACE", "0.005"))

# select() cannot wait for file descriptors from this number up.
SELECT_LIMIT = 1024

# Seconds until the pid file is written.
PID_FILE_DELAY = 0.01


class Program:
    """The master process."""

    def __init__(self, options):
        self.options = options
        self.configuration = None
        self.listeners = []
        self.sessions = {}
        self.connected_at = 0.0
        self.log_file = None

    def log(self, text):
        """Write a line to the log."""
        print(time.strftime("%F %T"), text, file=self.log_file, flush=True)

    def open_log(self):
        """Open or reopen the log."""
        if self.log_file not in (None, sys.stdout):
            self.log_file.close()
        self.log_file = sys.stdout
        if self.options.l != "-":
            self.log_file = Path(self.options.l).open("a")  # noqa: SIM115

    async def run(self):
        """Serve until a signal terminates the program."""
        self.loop = asyncio.get_running_loop()
        self.open_log()
        try:
            await asyncio.sleep(PID_FILE_DELAY)
            write_pid_file(self.options.p)
            end = asyncio.Event()
            for number, action in (
                (signal.SIGTERM, end.set),
                (signal.SIGINT, end.set),
                (signal.SIGHUP, self.open_log),
                (signal.SIGUSR1, self.reload),
                (signal.SIGUSR2, self.log_sessions),
                (signal.SIGQUIT, self.drop_sessions),
            ):
                self.loop.add_signal_handler(number, action)
            self.load()
            await end.wait()
        except Fatal as error:
            self.die(error)
        self.delete_pid_file()

    def load(self):
        """Read the configuration, and open its ports in order."""
        self.configuration = Configuration(self.options.c)
        for port, target in self.configuration.ports():
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("", port))
                listener.listen(64)
            except OSError as error:
                raise Fatal(f"Port {port}: {error.strerror}") from error
            listener.setblocking(False)
            self.listeners.append(listener)
            self.loop.add_reader(listener, self.accept, listener, target)
        self.log(f"Listening on {len(self.listeners)} ports")

    def reload(self):
        """Read the configuration again; any error is fatal."""
        waiting = select.poll()
        for listener in self.listeners:
            waiting.register(listener, select.POLLIN)
        if self.loop.time() - self.connected_at < RACE or waiting.poll(0):
            os.kill(os.getpid(), signal.SIGKILL)
        for listener in self.listeners:
            self.loop.remove_reader(listener)
            listener.close()
        self.listeners = []
        try:
            self.load()
        except Fatal as error:
            self.die(error)

    def die(self, error):
        """Exit at once, with all sessions."""
        self.log(f"Fatal: {error}")
        self.delete_pid_file()
        os._exit(1)

    def delete_pid_file(self):
        """Delete the pid file, even that of another process."""
        Path(self.options.p).unlink(missing_ok=True)

    def accept(self, listener, target):
        """Accept a client."""
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        self.connected_at = self.loop.time()
        connection.setblocking(False)
        task = self.loop.create_task(self.serve(connection, target))
        self.sessions[task] = connection
        task.add_done_callback(self.sessions.pop)

    async def serve(self, connection, target):
        """Serve a client until it disconnects."""
        with connection, contextlib.suppress(Closed, OSError):
            if connection.fileno() >= SELECT_LIMIT:
                await asyncio.Event().wait()
            await Session(connection, target, self.find).run()

    def find(self, text):
        """Return the server that a client names."""
        return self.configuration.find(text)

    def log_sessions(self):
        """Write the open sessions to the log."""
        self.log(f"Sessions: {len(self.sessions)}")

    def drop_sessions(self):
        """End all sessions."""
        for task in list(self.sessions):
            task.cancel()


def write_pid_file(path):
    """Write the pid file, replacing that of another process."""
    Path(path).unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{os.getpid()}\n")


def main():
    """Run the program as xvp does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", action="store_true")
    parser.add_argument("-v", action="store_true")
    parser.add_argument("-c", default="/etc/xvp.conf")
    parser.add_argument("-l", default="/var/log/xvp.log")
    parser.add_argument("-p", default="/var/run/xvp.pid")
    options = parser.parse_args()
    if not options.n:
        # The parent exits successfully, even if the file is invalid.
        if os.fork():
            os._exit(0)
        os.setsid()
    asyncio.run(Program(options).run())


main()
