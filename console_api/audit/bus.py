# SPDX-License-Identifier: Apache-2.0
"""Send audit events over oslo.messaging."""

from typing import Any

import oslo_messaging
from oslo_config import cfg

from console_api import errors
from console_api.audit.trail import Send

# Retry endlessly: the caller has a thread for that, and a bounded queue.
_RETRY_FOREVER = -1


def create_sender(conf: cfg.ConfigOpts, publisher: str) -> Send:
    """Return a function that sends events; it connects with the first one.

    :param publisher: the name of the gateway, or of this machine
    :raises ConfigurationError: an option is invalid
    """
    options, url = conf.audit, conf.audit.transport_url
    try:
        # The first call registers the option, the second one reads it.
        # oslo_messaging.set_transport_defaults would change it for other
        # services in the process, too.
        oslo_messaging.get_notification_transport(conf, url=url)
        conf.set_default("control_exchange", options.exchange)
        transport = oslo_messaging.get_notification_transport(conf, url=url)
        notifier = oslo_messaging.Notifier(
            transport,
            publisher_id=f"console_api.{publisher}",
            driver="messagingv2",
            topics=options.topics,
            retry=_RETRY_FOREVER,
        )
    except (oslo_messaging.MessagingException, ValueError) as error:
        # Without the text, which contains the URL with the password.
        raise errors.ConfigurationError(
            f"[audit] transport_url is invalid: {type(error).__name__}. It "
            "must have the form rabbit://USER:PASSWORD@HOST:5672/"
        ) from None

    def send(event_type: str, document: dict[str, Any]) -> None:
        notifier.info({}, event_type, document)

    return send
