# SPDX-License-Identifier: Apache-2.0
"""One process that serves browsers."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from oslo_config import cfg

from console_api import errors
from console_api.gateway.access import Access
from console_api.gateway.application import Application
from console_api.gateway.attempts import Attempts
from console_api.gateway.audit import Audit
from console_api.gateway.brokers.base import Broker
from console_api.gateway.brokers.guard import GuardedBroker
from console_api.gateway.connections import Connections
from console_api.gateway.listener import Listener, bind
from console_api.gateway.metrics import Metrics
from console_api.gateway.monitoring import Monitoring
from console_api.gateway.spice_channels import SpiceSessions
from console_api.gateway.spice_workers import SpiceWorkers
from console_api.net.tls import ReloadingContext, load_certificate

LOG = logging.getLogger(__name__)

# Seconds for the last reports to the broker when the worker stops.
_FINISH_TIMEOUT = 10


class Worker:
    """Serves browsers until it is stopped."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        broker: Broker,
        audit: Audit,
        *,
        folder: Path,
        number: int = 0,
    ) -> None:
        """Prepare.

        :param folder: for the sockets between workers
        :param number: of this worker, from 0 on
        :raises ConfigurationError: an option or a file is invalid
        """
        options = conf.gateway
        self._audit = audit
        self._metrics = Metrics(broker)
        observers = (self._metrics, audit)
        self._conf = conf
        self._number = number
        self._broker = GuardedBroker(broker, Attempts(options.max_attempts))
        spice = SpiceSessions()
        self._spice_workers = SpiceWorkers(spice, folder, str(number))
        self._connections = Connections.from_conf(
            conf, self._broker, observers, spice, self._spice_workers
        )
        access = Access.from_conf(conf)
        self._application = Application(
            conf, self._broker, self._connections, observers, access
        )
        self._listener = Listener(
            self._application.handle,
            tls_context(conf),
            max_connections=options.max_connections,
            timeout=options.handshake_timeout,
        )
        self._listener.proxies = access.prelude_proxies
        self._monitoring = Monitoring(
            self._metrics.generate,
            lambda: self._broker.trouble,
            self._connections,
        )
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Drain and return from ``run``."""
        self._stopping.set()

    def reload(self, conf: cfg.ConfigOpts) -> None:
        """Use another configuration of displays, origins and proxies.

        :raises ConfigurationError: an option is invalid, and nothing changes
        """
        access = Access.from_conf(conf)
        self._connections.reload(conf)
        self._application.allow(access)
        self._listener.proxies = access.prelude_proxies

    async def run(self, notify_ready: Callable[[], None]) -> None:
        """Serve until ``stop`` is called.

        :param notify_ready: called once connections are accepted
        :raises ConfigurationError: a port cannot be used
        """
        monitoring = await self._start()
        stopping = asyncio.create_task(self._stopping.wait())
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(self._broker.run()),
            asyncio.create_task(self._connections.run()),
            asyncio.create_task(self._metrics.run()),
        ]
        notify_ready()
        try:
            await asyncio.wait(
                (stopping, *tasks), return_when=asyncio.FIRST_COMPLETED
            )
            for task in tasks:
                if task.done():
                    # It ends only with an unexpected error.
                    task.result()
            await self._drain()
        finally:
            stopping.cancel()
            for task in tasks:
                task.cancel()
            monitoring.close()
            self._spice_workers.close()
            await self._listener.close()

    async def _start(self) -> asyncio.Server:
        options = self._conf.gateway
        loop = asyncio.get_running_loop()
        try:
            sockets = bind(
                options.listen_addresses,
                options.port,
                reuse_port=options.workers > 1,
            )
            monitoring = await loop.create_server(
                web.Server(self._monitoring.handle, access_log=None),
                str(options.monitoring_address),
                options.monitoring_port + self._number,
            )
        except OSError as error:
            raise errors.ConfigurationError(
                "The gateway cannot listen as configured ([gateway] "
                f"listen_addresses, port, monitoring_port): {error}"
            ) from error
        await self._spice_workers.start()
        self._listener.start(sockets)
        LOG.info("Listening on port %d.", options.port)
        return monitoring

    async def _drain(self) -> None:
        """Close the sessions, over the grace time."""
        self._listener.stop()
        LOG.info("Closing %d sessions.", len(self._connections.sessions))
        await self._connections.drain(self._conf.gateway.grace_time)
        await self._broker.finish(_FINISH_TIMEOUT)
        await asyncio.to_thread(self._audit.close, _FINISH_TIMEOUT)


def tls_context(conf: cfg.ConfigOpts) -> ssl.SSLContext | None:
    """Return the context for browsers; None without TLS.

    It uses the certificate in force when a browser connects.

    :raises ConfigurationError: a file is invalid
    """
    certificate_file = conf.gateway.tls_cert_file
    key_file = conf.gateway.tls_key_file
    if certificate_file is None:
        if key_file is not None:
            raise errors.ConfigurationError(
                "[gateway] tls_key_file needs [gateway] tls_cert_file."
            )
        return None

    def create() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        load_certificate(context, certificate_file, key_file)
        return context

    current = ReloadingContext(
        "[gateway] tls_cert_file or tls_key_file",
        [*filter(None, (certificate_file, key_file))],
        create,
    )

    def choose(
        connection: ssl.SSLSocket | ssl.SSLObject,
        _name: str | None,
        _context: ssl.SSLContext,
    ) -> None:
        connection.context = current.get()

    first = create()
    # OpenSSL calls it for each handshake, with a name or without.
    first.sni_callback = choose
    return first
