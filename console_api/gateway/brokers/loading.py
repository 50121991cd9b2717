# SPDX-License-Identifier: Apache-2.0
"""Create the broker that the configuration names."""

from oslo_config import cfg

from console_api.gateway.brokers.api import ApiBroker
from console_api.gateway.brokers.base import Broker


def create_broker(conf: cfg.ConfigOpts) -> Broker:
    """Create the broker of a worker, in its process.

    :raises ConfigurationError: an option is invalid
    """
    return ApiBroker.from_conf(conf)
