# SPDX-License-Identifier: Apache-2.0
"""Servers of Nova on libvirt, looked up on the compute hosts."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent import futures
from typing import Any, Self

from oslo_config import cfg

from console_api import errors, values
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory.base import Endpoint, Server
from console_api.directory.libvirt.daemon import Daemon, Domain
from console_api.directory.libvirt.domain import server_from_xml
from console_api.directory.remote import RemoteDirectory

LOG = logging.getLogger(__name__)

_EVENTS = "libvirt-events"

_events_lock = threading.Lock()


class LibvirtDirectory(RemoteDirectory):
    """Servers that Nova runs on libvirt, as described by their domains."""

    def __init__(
        self, database: Database, conf: cfg.ConfigOpts, libvirt: Any
    ) -> None:
        """Prepare to query the daemons of ``[libvirt] uris``.

        :param libvirt: the module ``libvirt``, with its event loop running
        :raises ConfigurationError: an option of ``[libvirt]`` is invalid
        """
        super().__init__(database, conf.directory.cache_seconds)
        self._timeout = conf.libvirt.timeout
        self._gone_after = conf.libvirt.gone_after
        # When a server was missing for the first time, in monotonic time.
        self._missing_since: dict[str, float] = {}
        pairs = dict(_pair(text) for text in conf.libvirt.uris)
        if not pairs:
            raise errors.ConfigurationError(
                "[libvirt] uris is not set. Set it to a compute host and its "
                "URI, such as compute-1=qemu+tls://compute-1/system, in one "
                "line for each compute host."
            )
        self._daemons = [
            Daemon(libvirt, host, uri) for host, uri in pairs.items()
        ]

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, database: Database) -> Self:
        """Create the driver.

        :raises ConfigurationError: libvirt-python is not installed, or an
            option of ``[libvirt]`` is invalid
        """
        return cls(database, conf, _load_libvirt())

    def find(self, server_id: str) -> Server:
        """Query all daemons concurrently; see ``RemoteDirectory.find``."""
        calls = {daemon.look_up(server_id): daemon for daemon in self._daemons}
        futures.wait(calls, self._timeout)
        found: list[tuple[Domain, Server]] = []
        failures = []
        without_metadata = []
        for future, daemon in calls.items():
            try:
                domain = future.result(timeout=0)
                server = domain and server_from_xml(
                    domain.xml, daemon.compute_host
                )
            except Exception as error:  # noqa: BLE001 (logged)
                failures.append(f"{daemon.compute_host}: {error!r:.200}")
                continue
            if domain and server:
                found.append((domain, server))
            elif domain:
                without_metadata.append(f"{daemon.compute_host}: no metadata")
        for reason in without_metadata:
            LOG.warning(
                "Domain %s was not created by Nova on %s", server_id, reason
            )
        if without_metadata and servers.get(self._database, server_id):
            # Nova created it, and another program redefined it.
            failures += without_metadata
        return self._choose(server_id, found, failures)

    def _choose(
        self,
        server_id: str,
        found: Sequence[tuple[Domain, Server]],
        failures: Sequence[str],
    ) -> Server:
        """Return the server from the daemon where its state is the greatest.

        An active domain is conclusive although other daemons failed.  A
        domain that is merely defined may be active where a daemon failed.

        :param failures: a compute host and a reason for each failed daemon
        """
        for reason in failures:
            LOG.error(
                "Cannot look up server %s in libvirt: %s", server_id, reason
            )
        state = max((domain.state for domain, _ in found), default=None)
        if failures and not state:
            raise errors.DirectoryUnavailable
        if state is None:
            raise errors.ServerNotFound(server_id)
        candidates = [
            server for domain, server in found if domain.state == state
        ]
        if len(candidates) > 1:
            LOG.error(
                "Server %s is reported by more than one host: %s",
                server_id,
                ", ".join(str(server.compute_host) for server in candidates),
            )
            raise errors.DirectoryUnavailable
        self._missing_since.pop(server_id, None)
        return candidates[0]

    def endpoint(self, server: Server, protocol: str) -> Endpoint | None:
        """Return the current endpoint, bypassing the cache.

        As soon as a server has stopped, its port may be reused by a server
        of another project.
        """
        return self.refresh(server.uuid).endpoints.get(protocol)

    def forget(self, server_id: str) -> None:
        """Delete a server that has been missing for ``gone_after`` seconds."""
        if not servers.get(self._database, server_id):
            # Nothing to delete; and requests for unknown ids must not fill
            # the dictionary.
            self._missing_since.pop(server_id, None)
            return
        now = time.monotonic()
        since = self._missing_since.setdefault(server_id, now)
        if now - since >= self._gone_after:
            super().forget(server_id)
            self._missing_since.pop(server_id, None)


def _pair(text: str) -> tuple[str, str]:
    host, _, uri = text.partition("=")
    try:
        return values.host(host.strip()), values.text(uri.strip())
    except ValueError as error:
        raise errors.ConfigurationError(
            f"[libvirt] uris must be HOST=URI, not {values.quoted(text)}."
        ) from error


def _load_libvirt() -> Any:
    try:
        import libvirt  # noqa: PLC0415 (an optional dependency)
    except ImportError as error:
        raise errors.ConfigurationError(
            "[directory] driver: libvirt-python is not installed. Install "
            f"console-api[libvirt]. ({error})"
        ) from error
    _run_events(libvirt)
    return libvirt


def _run_events(libvirt: Any) -> None:
    """Run libvirt's event loop, once in a process, for keepalive messages."""
    with _events_lock:
        if any(thread.name == _EVENTS for thread in threading.enumerate()):
            return
        # Errors are raised and logged; libvirt would print them as well.
        libvirt.registerErrorHandler(lambda *_: None, None)
        libvirt.virEventRegisterDefaultImpl()

        def run() -> None:
            while True:
                libvirt.virEventRunDefaultImpl()

        threading.Thread(target=run, name=_EVENTS, daemon=True).start()
