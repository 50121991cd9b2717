# SPDX-License-Identifier: Apache-2.0
"""Create the broker that the configuration names."""

from oslo_config import cfg

from console_api.gateway.brokers.api import ApiBroker
from console_api.gateway.brokers.base import Broker
from console_api.gateway.brokers.local import LocalBroker

_BROKERS: dict[str, type[ApiBroker | LocalBroker]] = {
    "api": ApiBroker,
    "local": LocalBroker,
}


def create_broker(conf: cfg.ConfigOpts) -> Broker:
    """Create the broker of a worker, in its process.

    :raises ConfigurationError: an option is invalid
    """
    return _BROKERS[conf.gateway.sessions].from_conf(conf)
