# SPDX-License-Identifier: Apache-2.0
"""Where servers are looked up: a driver chosen by ``[directory] driver``."""

from typing import Any

from oslo_config import cfg
from stevedore import driver, exception

from console_api import errors
from console_api.db.engine import Database
from console_api.directory.base import Directory

NAMESPACE = "console_api.directory"


def load(conf: cfg.ConfigOpts, database: Database) -> Directory:
    """Make the directory that the configuration names.

    :raises ConfigurationError: there is no driver of this name
    """
    name = conf.directory.driver
    try:
        loaded: Any = driver.DriverManager(NAMESPACE, name).driver
    except exception.NoMatches as error:
        raise errors.ConfigurationError(
            f"[directory] driver: there is no driver {name!r} in the "
            f"namespace {NAMESPACE}. `database`, `nova`, `libvirt` and "
            "`pipeline` are built in."
        ) from error
    directory: Directory = loaded.from_conf(conf, database)
    return directory
