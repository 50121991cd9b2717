# SPDX-License-Identifier: Apache-2.0
"""Where servers are looked up: ``[directory] driver`` selects the driver."""

from typing import cast

from oslo_config import cfg
from stevedore import driver, exception

from console_api import errors
from console_api.db.engine import Database
from console_api.directory.base import Directory

NAMESPACE = "console_api.directory"


def load(conf: cfg.ConfigOpts, database: Database) -> Directory:
    """Create the directory that the configuration selects.

    :raises ConfigurationError: there is no driver of this name, or its
        options are invalid
    """
    name = conf.directory.driver
    try:
        # stevedore's types expect a function.
        found = cast(
            "type[Directory]", driver.DriverManager(NAMESPACE, name).driver
        )
    except exception.NoMatches as error:
        raise errors.ConfigurationError(
            f"[directory] driver: there is no driver {name!r} in the "
            f"namespace {NAMESPACE}. `database`, `nova`, `libvirt` and "
            "`pipeline` are built in."
        ) from error
    return found.from_conf(conf, database)
