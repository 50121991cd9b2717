# SPDX-License-Identifier: Apache-2.0
"""Hears of servers that Nova deletes, over oslo.messaging."""

import asyncio
import logging
import threading
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.notify import dispatcher, listener

from console_api import errors
from console_api.db.engine import Database
from console_api.directory import records
from console_api.directory.base import is_server_id

LOG = logging.getLogger(__name__)

# Seconds until a message is tried again that the database was away for.
_RETRY = 5

# Nova's versioned notification and its older form; the beginning and end of
# all else that happens to servers have other names.
_EVENTS = r"(compute\.)?instance\.delete\.end$"


def server_of(payload: Any) -> str:
    """Return whose deletion a notification tells.

    Versioned ones have the id in ``nova_object.data``, as ``uuid``; the older
    ones as ``instance_id``.

    :raises ValueError: it has none
    """
    data = payload if isinstance(payload, dict) else {}
    inside = data.get("nova_object.data")
    found = (
        inside.get("uuid")
        if isinstance(inside, dict)
        else data.get("instance_id")
    )
    if not isinstance(found, str) or not is_server_id(found):
        raise ValueError(f"no id of a server in {payload!r:.200}")
    return found


class DeletionEndpoint:
    """What oslo.messaging calls for each notification of a deletion."""

    filter_rule = oslo_messaging.NotificationFilter(event_type=_EVENTS)

    def __init__(self, database: Database, stopping: threading.Event) -> None:
        """Delete from this database.

        :param stopping: set when no more is to be done
        """
        self._database = database
        self._stopping = stopping

    def info(
        self,
        _context: Any,
        _publisher_id: Any,
        event_type: Any,
        payload: Any,
        _metadata: Any,
    ) -> Any:
        """Delete a server; twice, late or unknown, it is done already.

        :returns: REQUEUE if the database is away, else nothing
        """
        try:
            server_id = server_of(payload)
            known = records.forget(self._database, server_id)
        except ValueError as error:
            LOG.warning("Notification %s is left out: %s.", event_type, error)
        except errors.DatabaseUnavailable as error:
            LOG.warning("A deleted server has to wait. %s", error)
            # Then it would come back at once.
            self._stopping.wait(_RETRY)
            return oslo_messaging.NotificationResult.REQUEUE
        else:
            if known:
                LOG.info(
                    "Server %s is deleted, and its consoles and tokens with "
                    "it.",
                    server_id,
                )
            else:
                LOG.debug("Server %s is deleted, and not here.", server_id)
        return None


class Listener:
    """Listens to the bus until cancelled, whether that is there or not."""

    def __init__(self, database: Database, conf: cfg.ConfigOpts) -> None:
        """Prepare; ``run`` does the work.

        :raises ConfigurationError: an option of ``[notifications]`` cannot be
            used
        """
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._server = _make_server(
            conf, DeletionEndpoint(database, self._stopping)
        )

    async def run(self) -> None:
        """Listen until cancelled."""
        # Not one of asyncio's threads: as long as the bus is away, it does
        # not end.
        threading.Thread(
            target=self._start, name="notifications", daemon=True
        ).start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._stopping.set()
            if self._started.is_set():
                self._server.stop()
                # What came and is not done goes back to the bus.
                self._server.wait()

    def _start(self) -> None:
        try:
            # One at a time: there are few, and each locks rows.
            self._server.start(override_pool_size=1)
        except Exception:
            LOG.exception("Notifications are not listened to.")
        else:
            LOG.info("Listening to notifications.")
            self._started.set()


class _Dispatcher(dispatcher.NotificationDispatcher):  # type: ignore[misc]
    """Drops what cannot even be looked at: it would come back forever."""

    def dispatch(self, incoming: Any) -> Any:
        try:
            return super().dispatch(incoming)
        except Exception:
            LOG.exception("A malformed notification is left out.")
            return oslo_messaging.NotificationResult.HANDLED


def _make_server(conf: cfg.ConfigOpts, endpoint: DeletionEndpoint) -> Any:
    options = conf.notifications
    try:
        transport = oslo_messaging.get_notification_transport(
            conf, url=options.transport_url
        )
    except (oslo_messaging.MessagingException, ValueError) as error:
        # Without the text: it has the URL in it, and so the password.
        raise errors.ConfigurationError(
            "[notifications] transport_url cannot be used: "
            f"{type(error).__name__}. Write it like "
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
