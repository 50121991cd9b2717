# SPDX-License-Identifier: Apache-2.0
"""What programs that run until they are stopped have in common."""

import resource

from oslo_config import cfg
from oslo_log import log

from console_api import conf as configuration
from console_api import errors


def set_up_logging(conf: cfg.ConfigOpts) -> None:
    """Set up oslo.log.

    :raises ConfigurationError: an option of the log is invalid
    """
    try:
        log.setup(conf, configuration.PROJECT)
    except (OSError, log.LogConfigError) as error:
        raise errors.ConfigurationError(
            f"The log cannot be written as configured: {error}"
        ) from error


def raise_file_limit() -> None:
    """Allow as many open files, and so connections, as the system does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
