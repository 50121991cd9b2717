# SPDX-License-Identifier: Apache-2.0
"""The program: ``[-n] [-v] -c CONF -l LOG -p PIDFILE``."""

import argparse
import contextlib
import os
import select
import selectors
import signal
import socket
import sys
import time
from pathlib import Path

from console_api.tests.functional.xvp_stand_in import child
from console_api.tests.functional.xvp_stand_in.configuration import (
    Configuration,
    Fatal,
)
from console_api.tests.functional.xvp_stand_in.title import set_title

# Seconds after a client connects in which a reload is fatal.  Tests of that
# use a longer time, to be reliable on a busy machine.
RACE = float(os.environ.get("XVP_STAND_IN_RACE", "0.005"))

# Seconds until the pid file is written.
PID_FILE_DELAY = 0.01


class Program:
    """The master process, which forks a child for each client."""

    def __init__(self, options):
        self.options = options
        self.configuration = None
        self.listeners = {}
        self.children = set()
        self.connected_at = 0.0
        self.log_file = None
        self.selector = selectors.PollSelector()
        # Children notice by its end that the master has died.
        self.life, self._held = os.pipe()
        self.is_over = False
        self.signals = {
            signal.SIGTERM: self.end,
            signal.SIGINT: self.end,
            signal.SIGHUP: self.open_log,
            signal.SIGUSR1: self.reload,
            signal.SIGUSR2: self.log_sessions,
            signal.SIGQUIT: self.drop_sessions,
            signal.SIGCHLD: self.reap,
        }

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

    def run(self):
        """Serve until a signal terminates the program."""
        self.open_log()
        set_title("xvp: master")
        time.sleep(PID_FILE_DELAY)
        write_pid_file(self.options.p)
        wakeup = self.catch_signals()
        try:
            self.load()
            child.import_des()
            while not self.is_over:
                for key, _ in self.selector.select():
                    if key.fileobj in self.listeners:
                        self.accept(key.fileobj)
                self.handle_signals(wakeup)
        except Fatal as error:
            self.log(f"Fatal: {error}")
            self.delete_pid_file()
            # All sessions end with the master.
            os._exit(1)
        self.delete_pid_file()

    def catch_signals(self):
        """Return a socket that receives the numbers of signals."""
        wakeup, sender = socket.socketpair()
        wakeup.setblocking(False)
        sender.setblocking(False)
        signal.set_wakeup_fd(sender.detach())
        for number in self.signals:
            signal.signal(number, lambda *_: None)
        self.selector.register(wakeup, selectors.EVENT_READ)
        return wakeup

    def handle_signals(self, wakeup):
        """Act on the signals that have come."""
        with contextlib.suppress(BlockingIOError):
            for number in wakeup.recv(4096):
                self.signals[number]()

    def end(self):
        """End the program."""
        self.is_over = True

    def log_sessions(self):
        """Write the open sessions to the log."""
        self.log(f"Sessions: {len(self.children)}")

    def drop_sessions(self):
        """End all sessions."""
        for process in self.children:
            os.kill(process, signal.SIGTERM)

    def reap(self):
        """Collect the children that have exited."""
        with contextlib.suppress(ChildProcessError):
            while process := os.waitpid(-1, os.WNOHANG)[0]:
                self.children.discard(process)

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
                raise Fatal(
                    f"Unable to set up listening socket: port {port}: "
                    f"{error.strerror}"
                ) from error
            listener.setblocking(False)
            self.listeners[listener] = target
            self.selector.register(listener, selectors.EVENT_READ)
            self.log(f"Listening on port {port}")
        self.log(f"Listening on {len(self.listeners)} ports")

    def reload(self):
        """Read the configuration again; any error is fatal."""
        waiting = select.poll()
        for listener in self.listeners:
            waiting.register(listener, select.POLLIN)
        if time.monotonic() - self.connected_at < RACE or waiting.poll(0):
            os.kill(os.getpid(), signal.SIGKILL)
        for listener in self.listeners:
            self.selector.unregister(listener)
            listener.close()
        self.listeners = {}
        self.load()

    def delete_pid_file(self):
        """Delete the pid file, even that of another process."""
        Path(self.options.p).unlink(missing_ok=True)

    def accept(self, listener):
        """Accept a client, and fork a child for it."""
        try:
            connection, (address, _) = listener.accept()
        except OSError:
            return
        self.connected_at = time.monotonic()
        target = self.listeners[listener]
        with connection:
            process = os.fork()
            if not process:
                child.run(self, connection, address, target)
        self.children.add(process)


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
    Program(options).run()
    # Files and sockets are left to the system.
    os._exit(0)


main()
