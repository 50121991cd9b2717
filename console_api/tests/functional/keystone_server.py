# SPDX-License-Identifier: Apache-2.0
"""The process of a real Keystone for tests, on SQLite."""

import atexit
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import requests
from cryptography.fernet import Fernet

from console_api.tests.functional import configuration

#: Seconds that a request may take, including the start.
TIMEOUT = 60
_STOP_TIMEOUT = 20

#: The region of the cloud.
REGION = "RegionOne"

_CONFIGURATION = """\
[identity]
# As fast as possible.
password_hash_rounds = 4
[database]
connection = sqlite:///{folder}/keystone.sqlite
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/fernet
[oslo_policy]
policy_file = {folder}/policy.yaml
policy_dirs = {folder}/policy.d
"""


class KeystoneServer:
    """A running Keystone, set up with ``keystone-manage bootstrap``."""

    def __init__(self) -> None:
        """Set it up and start it."""
        self._folder = configuration.temporary_folder()
        #: The password of the administrator.
        self.password = secrets.token_hex()
        # Keystone also looks for its configuration in the home directory.
        self._environment = {
            **os.environ,
            "HOME": str(self._folder),
            "OS_KEYSTONE_CONFIG_DIR": str(self._folder),
        }
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        #: The base URL of the API.
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v3"
        with listener:
            self._prepare()
            self._start(listener)

    def _prepare(self) -> None:
        config = self._folder / "keystone.conf"
        config.write_text(_CONFIGURATION.format(folder=self._folder))
        # As `fernet_setup` creates them: the staged and the primary key.
        keys = self._folder / "fernet"
        keys.mkdir(mode=0o700)
        for name in ("0", "1"):
            (keys / name).write_bytes(Fernet.generate_key())
        self._manage("db_sync")
        self._manage(
            "bootstrap",
            *("--bootstrap-public-url", self.url),
            *("--bootstrap-internal-url", self.url),
            *("--bootstrap-region-id", REGION),
        )

    def _manage(self, *arguments: str) -> None:
        program = Path(sys.executable).with_name("keystone-manage")
        done = subprocess.run(
            [
                program,
                *("--config-file", self._folder / "keystone.conf"),
                *("--config-dir", self._folder),
                *arguments,
            ],
            env={**self._environment, "OS_BOOTSTRAP_PASSWORD": self.password},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"keystone-manage {arguments[0]} failed:\n{done.stdout}"
            )

    def _start(self, listener: socket.socket) -> None:
        settings = self._folder / "gunicorn.py"
        settings.write_text(
            f'bind = "fd://{listener.fileno()}"\n'
            "threads = 4\n"
            "control_socket_disable = True\n"
            'wsgi_app = "keystone.wsgi.api:application"\n'
        )
        with (self._folder / "keystone.log").open("wb") as log:
            self._process = subprocess.Popen(
                # Without arguments, which Keystone would parse.
                [sys.executable, "-m", "gunicorn"],
                pass_fds=[listener.fileno()],
                env={
                    **self._environment,
                    "GUNICORN_CMD_ARGS": f"--config {settings}",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        atexit.register(self.stop)
        # Waits in the backlog of the socket until Keystone accepts it.
        requests.get(self.url, timeout=TIMEOUT).raise_for_status()

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(_STOP_TIMEOUT)
