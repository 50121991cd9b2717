# SPDX-License-Identifier: Apache-2.0
"""The directory that asks libvirt, on each compute host."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent import futures
from typing import Any, Self

from oslo_config import cfg

from console_api import errors
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory import checks
from console_api.directory.base import Endpoint, Server
from console_api.directory.libvirt.daemon import Daemon, Domain
from console_api.directory.libvirt.domain import server_from_xml
from console_api.directory.remote import RemoteDirectory

LOG = logging.getLogger(__name__)

_EVENTS = "libvirt-events"

_events_lock = threading.Lock()


class LibvirtDirectory(RemoteDirectory):
    """Servers that Nova runs on libvirt, as their domains describe them."""

    def __init__(
        self, database: Database, conf: cfg.ConfigOpts, libvirt: Any
    ) -> None:
        """Ask the daemons of ``[libvirt] uris``; none is connected yet.

        :param libvirt: the module
        :raises ConfigurationError: an option of ``[libvirt]`` cannot be used
        """
        super().__init__(database, conf.directory.cache_seconds)
        self._timeout = conf.libvirt.timeout
        self._gone_after = conf.libvirt.gone_after
        #: Since when servers are nowhere, by id, in monotonic time.
        self._absent: dict[str, float] = {}
        pairs = dict(_pair(text) for text in conf.libvirt.uris)
        if not pairs:
            raise errors.ConfigurationError(
                "[libvirt] uris is not set. Give a compute host and its URI "
                "in each line, as compute-1=qemu+tls://compute-1/system."
            )
        self._daemons = [
            Daemon(libvirt, host, uri) for host, uri in pairs.items()
        ]

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, database: Database) -> Self:
        """Make the driver.

        :raises ConfigurationError: libvirt-python is not installed, or an
            option of ``[libvirt]`` cannot be used
        """
        return cls(database, conf, _load_libvirt())

    def find(self, server_id: str) -> Server:
        """Ask all daemons at once; see ``RemoteDirectory.find``."""
        asked = {daemon.look_up(server_id): daemon for daemon in self._daemons}
        futures.wait(asked, self._timeout)
        told: list[tuple[Domain, Server]] = []
        silent = []
        bare = []
        for future, daemon in asked.items():
            try:
                domain = future.result(timeout=0)
                server = domain and server_from_xml(
                    domain.xml, daemon.compute_host
                )
            except Exception as error:  # noqa: BLE001 (logged)
                silent.append(f"{daemon.compute_host}: {error!r:.200}")
                continue
            if domain and server:
                told.append((domain, server))
            elif domain:
                bare.append(f"{daemon.compute_host}: no metadata")
        for reason in bare:
            LOG.warning("Server %s is none of Nova's on %s", server_id, reason)
        if bare and servers.get(self._database, server_id):
            # It was one: somebody has defined its domain anew.
            silent += bare
        return self._choose(server_id, told, silent)

    def _choose(
        self,
        server_id: str,
        told: Sequence[tuple[Domain, Server]],
        silent: Sequence[str],
    ) -> Server:
        """Return the server where it is most alive.

        A server that runs is where it runs, whatever others are silent. One
        that does not run may run where there was no answer.
        """
        for reason in silent:
            LOG.error(
                "libvirt cannot tell of server %s: %s", server_id, reason
            )
        state = max((domain.state for domain, _ in told), default=None)
        if silent and not state:
            raise errors.DirectoryUnavailable
        if state is None:
            raise errors.ServerNotFound(server_id)
        alive = [server for domain, server in told if domain.state == state]
        if len(alive) > 1:
            LOG.error(
                "Server %s is claimed by %s alike.",
                server_id,
                " and ".join(str(server.compute_host) for server in alive),
            )
            raise errors.DirectoryUnavailable
        self._absent.pop(server_id, None)
        return alive[0]

    def endpoint(self, server: Server, protocol: str) -> Endpoint | None:
        """Return where a screen is served now, whatever is remembered.

        A port is free as soon as its server has stopped, and the next one to
        start takes it: that may be a stranger's.
        """
        return self.refresh(server.uuid).endpoints.get(protocol)

    def forget(self, server_id: str) -> None:
        """Delete a server that has been nowhere for long enough."""
        if not servers.get(self._database, server_id):
            # Nothing to delete, and nothing to remember of every id that
            # somebody tries.
            self._absent.pop(server_id, None)
            return
        now = time.monotonic()
        since = self._absent.setdefault(server_id, now)
        if now - since >= self._gone_after:
            super().forget(server_id)
            self._absent.pop(server_id, None)


def _pair(text: str) -> tuple[str, str]:
    host, _, uri = text.partition("=")
    try:
        return checks.text(host.strip(), "HOST"), checks.text(
            uri.strip(), "URI"
        )
    except ValueError as error:
        raise errors.ConfigurationError(
            f"[libvirt] uris: write HOST=URI, not {text!r:.80}."
        ) from error


def _load_libvirt() -> Any:
    try:
        import libvirt  # noqa: PLC0415 (not everybody has it)
    except ImportError as error:
        raise errors.ConfigurationError(
            "[directory] driver: libvirt-python is not installed. Install "
            f"console-api[libvirt]. ({error})"
        ) from error
    _run_events(libvirt)
    return libvirt


def _run_events(libvirt: Any) -> None:
    """Run libvirt's event loop, once in a process: it keeps connections."""
    with _events_lock:
        if any(thread.name == _EVENTS for thread in threading.enumerate()):
            return
        # What is said of errors goes to the log, not to stderr.
        libvirt.registerErrorHandler(lambda *_: None, None)
        libvirt.virEventRegisterDefaultImpl()

        def run() -> None:
            while True:
                libvirt.virEventRunDefaultImpl()

        threading.Thread(target=run, name=_EVENTS, daemon=True).start()
