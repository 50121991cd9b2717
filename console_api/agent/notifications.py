# SPDX-License-Identifier: Apache-2.0
"""Nova's notifications of servers, over oslo.messaging."""

import asyncio
import logging
import threading

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.notify import dispatcher, listener

from console_api import errors, values
from console_api.db.engine import Database
from console_api.directory import records
from console_api.directory.base import Directory
from console_api.directory.remote import RemoteDirectory

LOG = logging.getLogger(__name__)

# Seconds until a notification is retried while the database is unavailable.
_RETRY_INTERVAL = 5

# What ends the display of a server, or starts it elsewhere: another server may
# be given its port.  Versioned notifications separate words by `_`; their
# older form, which begins with `compute.`, by `.` as well.
_EVENT_TYPES = (
    r"(compute\.)?instance\."
    r"((soft_|force_)?delete|restore|shutdown|power_off|power_on|reboot|"
    r"rebuild|suspend|resume|(finish_)?resize|live[._]migration|evacuate|"
    r"(un)?rescue|(un)?shelve)"
    r"((?!_ip)[._]\w+)*$"
)

_DELETED = (".delete.end", ".force_delete.end")

# At the start, the server is still where it was.
_STARTING = ".start"


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


class ServerEndpoint:
    """Called by oslo.messaging for each notification of a server."""

    filter_rule = oslo_messaging.NotificationFilter(event_type=_EVENT_TYPES)

    def __init__(
        self,
        database: Database,
        directory: Directory,
        stopping: threading.Event,
    ) -> None:
        """Prepare.

        :param directory: asked where a server is after an event
        :param stopping: set when the listener stops
        """
        self._database = database
        self._directory = directory
        self._stopping = stopping

    def _process(
        self,
        _context: object,
        _publisher_id: object,
        event_type: str,
        payload: object,
        _metadata: object,
    ) -> str | None:
        """Update what is stored of a server, if it is known.

        :returns: ``REQUEUE`` if the database is unavailable, otherwise None
        """
        try:
            server_id = server_of(payload)
            if event_type.endswith(_DELETED):
                self._delete(server_id)
            else:
                self._update(server_id, event_type)
        except ValueError as error:
            LOG.warning("Ignoring notification %s: %s.", event_type, error)
        except errors.DatabaseUnavailable as error:
            LOG.warning("Cannot process a notification now: %s", error)
            # Otherwise the notification would come back at once.
            self._stopping.wait(_RETRY_INTERVAL)
            result: str = oslo_messaging.NotificationResult.REQUEUE
            return result
        return None

    # The priorities of notifications; operations that failed have the second.
    info = error = _process

    def _delete(self, server_id: str) -> None:
        if records.delete(self._database, server_id):
            LOG.info(
                "Deleted server %s with its consoles and tokens: Nova has "
                "deleted it.",
                server_id,
            )
        else:
            LOG.debug("Nova has deleted unknown server %s.", server_id)

    def _update(self, server_id: str, event_type: str) -> None:
        """Revoke the tokens, and look up where the server is now."""
        if not records.revoke_tokens(self._database, server_id):
            LOG.debug("Unknown server %s: %s.", server_id, event_type)
            return
        LOG.info("Revoked the tokens of server %s: %s.", server_id, event_type)
        if event_type.endswith(_STARTING) or not isinstance(
            self._directory, RemoteDirectory
        ):
            return
        try:
            self._directory.refresh(server_id)
        except errors.ServerNotFound:
            LOG.debug("The directory no longer has server %s.", server_id)
        except errors.DatabaseUnavailable:
            raise
        except errors.Unavailable as error:
            # The next look-up of the server tries again.
            LOG.warning("Cannot look up server %s now: %s", server_id, error)


class NotificationListener:
    """Listens to a message bus, as soon as it is available."""

    def __init__(
        self, database: Database, directory: Directory, conf: cfg.ConfigOpts
    ) -> None:
        """Prepare; ``run`` listens.

        :param directory: asked where a server is after an event
        :raises ConfigurationError: an option of ``[notifications]`` is
            invalid
        """
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._server = _create_server(
            conf, ServerEndpoint(database, directory, self._stopping)
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
                await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
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
    conf: cfg.ConfigOpts, endpoint: ServerEndpoint
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
