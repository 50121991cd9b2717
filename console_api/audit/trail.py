# SPDX-License-Identifier: Apache-2.0
"""The audit trail: a line in the log, and a message on the bus."""

import logging
import queue
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

from oslo_config import cfg

from console_api import errors
from console_api.audit.events import Event

LOG = logging.getLogger(__name__)

#: Sends an event with its type and document; may wait as long as it likes.
Send = Callable[[str, dict[str, Any]], None]

#: Creates the document of an event.
Render = Callable[[Event, str], dict[str, Any]]


class AuditTrail:
    """Records events; never waits, and never fails.

    A thread sends them to the bus.  It starts with the first event, because
    WSGI servers start other processes after they load the application.
    """

    def __init__(
        self,
        observer: str,
        send: Send | None = None,
        render: Render | None = None,
        max_pending: int = 1,
    ) -> None:
        """Prepare.

        :param observer: the name of the gateway, or of this machine
        :param send: None logs only
        :param max_pending: of events that wait for the bus
        """
        self._observer = observer
        self._send = send
        self._render = render
        self._pending: queue.Queue[Event | None] = queue.Queue(max_pending)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._is_dropping = False

    @classmethod
    def from_conf(
        cls, conf: cfg.ConfigOpts, observer: str | None = None
    ) -> Self:
        """Create the trail from the options.

        :param observer: the name of the gateway; None stands for this machine
        :raises ConfigurationError: an option is invalid, or a package is
            missing
        """
        name = observer or socket.gethostname()
        if conf.audit.transport_url is None:
            return cls(name)
        # Imported here because their requirements are optional.
        try:
            from console_api.audit import bus, cadf  # noqa: PLC0415
        except ImportError as error:
            raise errors.ConfigurationError(
                "[audit] transport_url requires oslo.messaging and pycadf. "
                f"Install console-api[notifications]. ({error})"
            ) from error
        return cls(
            name,
            bus.create_sender(conf, name),
            cadf.render,
            conf.audit.max_pending,
        )

    def record(self, event: Event) -> None:
        """Log an event, and send it later."""
        LOG.info("%s", event.line())
        if self._send is None:
            return
        self._start()
        try:
            self._pending.put_nowait(event)
        except queue.Full:
            if not self._is_dropping:
                self._is_dropping = True
                LOG.error(  # noqa: TRY400 (a trace would add nothing)
                    "The message bus does not accept audit events. Further "
                    "ones are in the log only."
                )
        else:
            self._is_dropping = False

    def close(self, timeout: float) -> None:
        """Send what is pending, as far as possible in time.

        :param timeout: in seconds
        """
        if self._thread is None:
            return
        try:
            self._pending.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(timeout)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                # A daemon: it may wait for the bus when the process exits.
                self._thread = threading.Thread(
                    target=self._run, name="audit", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while (event := self._pending.get()) is not None:
            if self._send is None or self._render is None:
                continue
            try:
                document = self._render(event, self._observer)
                self._send(event.kind.event_type, document)
            except Exception:
                LOG.exception("Cannot send an audit event.")
