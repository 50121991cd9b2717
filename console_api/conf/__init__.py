# SPDX-License-Identifier: Apache-2.0
"""Configuration: one module per group of options.

There is no global configuration object.  ``load`` creates one from a folder,
so that console_api can run in the process of another service, as a filter in
its paste pipeline, without sharing its options.
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
    audit,
    consoles,
    directory,
    filter,  # noqa: A004 (the name of its group)
    gateway,
    libvirt,
    noauth2,
    notifications,
    passwords,
    policy,
    remote_consoles,
    sessions,
    tokens,
    vnc,
    xvp,
)

PROJECT = "console_api"

#: The environment variable that names the configuration folder.
ENVIRONMENT = "OS_CONSOLE_API_CONFIG_DIR"

DEFAULT_DIR = "/etc/console_api"

GROUPS = (
    agent,
    api,
    audit,
    consoles,
    directory,
    filter,
    gateway,
    libvirt,
    noauth2,
    notifications,
    passwords,
    remote_consoles,
    sessions,
    tokens,
    vnc,
    xvp,
)


def config_dir(chosen: str | None = None) -> Path:
    """Return the configuration folder.

    :param chosen: what the command line names; without it, the environment
        variable or the default
    """
    return Path(chosen or os.environ.get(ENVIRONMENT) or DEFAULT_DIR)


def load(folder: Path) -> cfg.ConfigOpts:
    """Load ``console_api.conf`` and ``console_api.conf.d/*.conf``.

    The command line of the process is ignored: it belongs to the WSGI
    server.

    :param folder: the configuration folder
    :returns: a new configuration object with all groups registered
    :raises ConfigurationError: the file is missing, unreadable or malformed,
        or contains an invalid value
    """
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    for group in GROUPS:
        conf.register_opts(group.OPTS, group=group.GROUP)
    conf.register_opts(db_options.database_opts, group="database")
    policy_opts.set_defaults(conf)
    # Not with the function above, which would change the defaults of another
    # service in the process, too.
    conf.set_default("remote_timeout", policy.REMOTE_TIMEOUT, policy.GROUP)
    main = folder / f"{PROJECT}.conf"
    if not (main.is_file() and os.access(main, os.R_OK)):
        raise errors.ConfigurationError(
            f"The configuration file {main} does not exist or cannot be "
            "read. Create it, or set the environment variable "
            f"{ENVIRONMENT} to its folder."
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
    except cfg.NoSuchOptError:
        # Its text may be a part of a password.
        raise errors.ConfigurationError(
            f"The configuration in {folder} is invalid: a value refers to an "
            "option that does not exist. Write $ as $$ in passwords and URLs, "
            "unless it refers to another option."
        ) from None
    except (cfg.Error, ValueError) as error:
        raise errors.ConfigurationError(
            f"The configuration in {folder} is invalid: {error}"
        ) from error
    return conf


def find_file(conf: cfg.ConfigOpts, name: str) -> Path | None:
    """Return the path of a file that an option names, None if missing.

    Only the folder of the configuration is searched.  oslo.config would also
    search home folders and /etc, where a stray file might grant permissions.
    """
    path = Path(conf.config_file[0]).parent / name
    return path if path.exists() else None
