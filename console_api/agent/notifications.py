# SPDX-License-Identifier: Apache-2.0
"""Nova's notifications of deleted servers, over oslo.messaging."""

import asyncio
import logging
import threading

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.notify import dispatcher, listener

from console_api import errors, values
from console_api.db.engine import Database
from console_api.directory import records

LOG = logging.getLogger(__name__)

# Seconds until a notification is retried while the database is unavailable.
_RETRY_INTERVAL = 5

# Nova's versioned notification and its older, unversioned form.  Other events
# of servers have other names.
_EVENT_TYPES = r"(compute\.)?instance\.delete\.end$"


def server_of(payload: object) -> str:
    """Return the UUID of the server that a notification is about.

    Versioned notifications have it in ``nova_object.data``, as ``uuid``;
    unversioned ones as ``instance_id``.

    :raises ValueError: there is none
    """
    data = payload if isinstance(payload, dict) else {}
    inner = data.get("nova_object.data")
    found = (
        inner.get("uuid")
        if isinstance(inner, dict)
        else data.get("instance_id")
    )
    if not isinstance(found, str) or not values.is_uuid(found):
        raise ValueError(f"no server UUID in {payload!r:.200}")
    return found


class DeletionEndpoint:
    """Called by oslo.messaging for each notification of a deleted server."""

    filter_rule = oslo_messaging.NotificationFilter(event_type=_EVENT_TYPES)

    def __init__(self, database: Database, stopping: threading.Event) -> None:
        """Delete servers from a database.

        :param stopping: set when the listener stops
        """
        self._database = database
        self._stopping = stopping

    def info(
        self,
        _context: object,
        _publisher_id: object,
        event_type: object,
        payload: object,
        _metadata: object,
    ) -> str | None:
        """Delete a server, if it is known.

        :returns: ``REQUEUE`` if the database is unavailable, otherwise None
        """
        try:
            server_id = server_of(payload)
            is_known = records.delete(self._database, server_id)
        except ValueError as error:
            LOG.warning("Ignoring notification %s: %s.", event_type, error)
        except errors.DatabaseUnavailable as error:
            LOG.warning("Cannot delete a server now: %s", error)
            # Otherwise the notification would come back at once.
            self._stopping.wait(_RETRY_INTERVAL)
            result: str = oslo_messaging.NotificationResult.REQUEUE
            return result
        else:
            if is_known:
                LOG.info(
                    "Deleted server %s with its consoles and tokens: Nova "
                    "has deleted it.",
                    server_id,
                )
            else:
                LOG.debug("Nova has deleted unknown server %s.", server_id)
        return None


class NotificationListener:
    """Listens to a message bus, as soon as it is available."""

    def __init__(self, database: Database, conf: cfg.ConfigOpts) -> None:
        """Prepare; ``run`` listens.

        :raises ConfigurationError: an option of ``[notifications]`` is
            invalid
        """
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._server = _create_server(
            conf, DeletionEndpoint(database, self._stopping)
        )

    @property
    def is_listening(self) -> bool:
        """Whether notifications are being received."""
        return self._started.is_set()

    async def run(self) -> None:
        """Listen until cancelled."""
        # Not one of asyncio's threads: it does not end while the bus is
        # unavailable.
        threading.Thread(
            target=self._start, name="notifications", daemon=True
        ).start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._stopping.set()
            if self.is_listening:
                self._server.stop()
                # Notifications that were not processed return to the bus.
                self._server.wait()

    def _start(self) -> None:
        try:
            # One at a time: there are few, and each locks rows.
            self._server.start(override_pool_size=1)
        except Exception:
            LOG.exception("Cannot listen to notifications.")
        else:
            LOG.info("Listening to notifications.")
            self._started.set()


class _Dispatcher(dispatcher.NotificationDispatcher):  # type: ignore[misc]
    """Drops malformed notifications, which would be requeued endlessly."""

    def dispatch(self, incoming: object) -> object:
        try:
            return super().dispatch(incoming)
        except Exception:
            LOG.exception("Ignoring a malformed notification.")
            return oslo_messaging.NotificationResult.HANDLED


def _create_server(
    conf: cfg.ConfigOpts, endpoint: DeletionEndpoint
) -> listener.NotificationServer:
    options = conf.notifications
    try:
        transport = oslo_messaging.get_notification_transport(
            conf, url=options.transport_url
        )
    except (oslo_messaging.MessagingException, ValueError) as error:
        # Without the text, which contains the URL with the password.
        raise errors.ConfigurationError(
            "[notifications] transport_url is invalid: "
            f"{type(error).__name__}. It must have the form "
            "rabbit://USER:PASSWORD@HOST:5672/"
        ) from None
    targets = [
        oslo_messaging.Target(topic=topic, exchange=options.exchange)
        for topic in options.topics
    ]
    return listener.NotificationServer(
        transport,
        targets,
        _Dispatcher([endpoint], None),
        allow_requeue=True,
        pool=options.pool,
    )
