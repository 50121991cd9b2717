# SPDX-License-Identifier: Apache-2.0
"""A real RabbitMQ, with a unique exchange, for tests."""

import contextlib
import os
import queue
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import kombu
import oslo_messaging
from oslo_config import cfg

from console_api.tests import prerequisites

_URL = os.environ.get(
    "CONSOLE_API_TEST_RABBITMQ_URL", "rabbit://guest:guest@127.0.0.1:5672/"
)


def url() -> str:
    """Return the transport URL of the RabbitMQ.

    :raises unittest.SkipTest: it is not running, and not required
    """
    try:
        with _connect():
            return _URL
    except (OSError, kombu.exceptions.KombuError) as error:
        prerequisites.skip(f"RabbitMQ does not answer: {error}")


def _connect() -> kombu.Connection:
    amqp = _URL.replace("rabbit:", "amqp:")
    return kombu.Connection(amqp, connect_timeout=5).ensure_connection(
        max_retries=1
    )


class Notification(NamedTuple):
    """A notification that was received."""

    event_type: str
    payload: Any


class _Endpoint:
    def __init__(self, received: "queue.Queue[Notification]") -> None:
        self._received = received

    def info(
        self,
        _context: Any,
        _publisher: str,
        event_type: str,
        payload: Any,
        _: Any,
    ) -> None:
        self._received.put(Notification(event_type, payload))


class Bus:
    """Sends notifications as Nova does, and other messages."""

    def __init__(self) -> None:
        """Connect.

        :raises unittest.SkipTest: it is not running, and not required
        """
        self.exchange = f"console_api_test_{secrets.token_hex(6)}"
        self.topic = f"{self.exchange}_topic"
        oslo_messaging.set_transport_defaults(self.exchange)
        self._transport = oslo_messaging.get_notification_transport(
            cfg.ConfigOpts(), url=url()
        )
        self._connection = _connect()
        self._channel = self._connection.channel()

    @property
    def options(self) -> dict[str, str]:
        """The options in ``[notifications]``."""
        return {
            "transport_url": _URL,
            "exchange": self.exchange,
            "topics": self.topic,
            "pool": self.exchange,
        }

    def notify(
        self, event_type: str, payload: object, priority: str = "info"
    ) -> None:
        """Send a notification as Nova does."""
        notifier = oslo_messaging.Notifier(
            self._transport,
            publisher_id="nova-compute:c1",
            driver="messagingv2",
            topics=[self.topic],
        )
        getattr(notifier, priority)({}, event_type, payload)

    def send(self, body: bytes, content_type: str) -> None:
        """Send an arbitrary message."""
        kombu.Producer(self._channel).publish(
            body,
            exchange=self.exchange,
            routing_key=f"{self.topic}.info",
            content_type=content_type,
            content_encoding="utf-8",
        )

    @contextlib.contextmanager
    def listening(self) -> Iterator["queue.Queue[Notification]"]:
        """Receive, inside the block, what is sent with priority `info`."""
        received: queue.Queue[Notification] = queue.Queue()
        target = oslo_messaging.Target(
            topic=self.topic, exchange=self.exchange
        )
        listener = oslo_messaging.get_notification_listener(
            self._transport, [target], [_Endpoint(received)], "threading"
        )
        listener.start()
        try:
            yield received
        finally:
            listener.stop()
            listener.wait()

    def waiting(self) -> int:
        """Return the number of messages in the queue."""
        waiting = kombu.Queue(self.exchange, channel=self._channel)
        return waiting.queue_declare(passive=True).message_count

    def close(self) -> None:
        """Delete the exchange and the queues, and disconnect."""
        for kind in (kombu.Queue, kombu.Exchange):
            kind(self.exchange, channel=self._channel).delete()
        for priority in ("info", "error"):
            name = f"{self.topic}.{priority}"
            kombu.Queue(name, channel=self._channel).delete()
        self._transport.cleanup()
        self._connection.release()
