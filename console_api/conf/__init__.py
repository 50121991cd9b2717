# SPDX-License-Identifier: Apache-2.0
"""The configuration: one module a group of options.

There is no global configuration object.  ``load`` makes one from a folder,
so that console_api can live inside another service's process (as a filter
in its paste pipeline) without sharing its options.
"""

import os
from pathlib import Path

from oslo_config import cfg
from oslo_db import options as db_options
from oslo_log import log
from oslo_policy import opts as policy_opts

from console_api import errors
from console_api.conf import (
    agent,
    api,
    consoles,
    directory,
    filter,  # noqa: A004 (its group is called so)
    libvirt,
    noauth2,
    notifications,
    passwords,
    remote_consoles,
    tokens,
    vnc,
    xvp,
)

PROJECT = "console_api"

#: Names the folder that holds the configuration of this process.
ENVIRONMENT = "OS_CONSOLE_API_CONFIG_DIR"

DEFAULT_DIR = "/etc/console_api"

GROUPS = (
    agent,
    api,
    consoles,
    directory,
    filter,
    libvirt,
    noauth2,
    notifications,
    passwords,
    remote_consoles,
    tokens,
    vnc,
    xvp,
)


def config_dir(chosen: str | None = None) -> Path:
    """Return the configuration folder: as chosen, else as the environment."""
    return Path(chosen or os.environ.get(ENVIRONMENT) or DEFAULT_DIR)


def load(folder: Path) -> cfg.ConfigOpts:
    """Read ``console_api.conf`` and ``console_api.conf.d/*.conf`` of a folder.

    The command line of the process is never looked at: under a WSGI server
    it belongs to that server.

    :param folder: the configuration folder
    :returns: a configuration object of its own with all groups registered
    :raises ConfigurationError: the file is absent, unreadable or malformed,
        or holds a value that an option does not take
    """
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    for group in GROUPS:
        conf.register_opts(group.OPTS, group=group.GROUP)
    conf.register_opts(db_options.database_opts, group="database")
    policy_opts.set_defaults(conf)
    main = folder / f"{PROJECT}.conf"
    if not (main.is_file() and os.access(main, os.R_OK)):
        raise errors.ConfigurationError(
            f"The configuration file {main} is not there or cannot be read. "
            f"Create it, or name its folder in the environment variable "
            f"{ENVIRONMENT}."
        )
    fragments = folder / f"{PROJECT}.conf.d"
    try:
        conf(
            args=[],
            project=PROJECT,
            default_config_files=[str(main)],
            default_config_dirs=(
                [str(fragments)] if fragments.is_dir() else []
            ),
            validate_default_values=True,
        )
        for group in GROUPS:
            for option in group.OPTS:
                conf[group.GROUP][option.dest]
        for option in db_options.database_opts:
            conf.database[option.dest]
    except (cfg.Error, ValueError) as error:
        raise errors.ConfigurationError(
            f"The configuration in {folder} cannot be used: {error}"
        ) from error
    return conf


def find_file(conf: cfg.ConfigOpts, name: str) -> Path | None:
    """Find a file that an option names: beside the configuration.

    Nowhere else: oslo.config would go on in home folders and in /etc, where
    a stray file might decide who may do what.
    """
    path = Path(conf.config_file[0]).parent / name
    return path if path.exists() else None
