# SPDX-License-Identifier: Apache-2.0
"""The console host that the configuration describes."""

from oslo_config import cfg

from console_api import errors, values
from console_api.db.console_hosts import NewConsoleHost


def console_host(conf: cfg.ConfigOpts, console_type: str) -> NewConsoleHost:
    """Return this console host.

    :raises ConfigurationError: an option of ``[agent]`` is invalid
    """
    options = conf.agent
    has_range = options.multiplex_port is None
    return NewConsoleHost(
        host=options.host,
        console_type=console_type,
        public_hostname=options.public_hostname or options.host,
        compute_hosts=_patterns(options.compute_hosts),
        min_port=options.ports[0] if has_range else None,
        max_port=options.ports[-1] if has_range else None,
        multiplex_port=options.multiplex_port,
    )


def _patterns(patterns: list[str]) -> tuple[str, ...]:
    try:
        return values.patterns(patterns)
    except ValueError as error:
        raise errors.ConfigurationError(
            f"[agent] compute_hosts {error}. Separate patterns by commas."
        ) from error
