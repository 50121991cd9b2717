# SPDX-License-Identifier: Apache-2.0
"""The console host that the configuration describes."""

from dataclasses import dataclass

from oslo_config import cfg

from console_api import errors, values


@dataclass(frozen=True, slots=True)
class ConsoleHost:
    """The columns of a console host that its agent sets.

    ``compute_hosts`` has shell patterns, separated by spaces.  A host has
    either a range of ports or a multiplex port.
    """

    host: str
    console_type: str
    public_hostname: str
    compute_hosts: str
    min_port: int | None
    max_port: int | None
    multiplex_port: int | None


def console_host(conf: cfg.ConfigOpts, console_type: str) -> ConsoleHost:
    """Return this console host.

    :raises ConfigurationError: an option of ``[agent]`` is invalid
    """
    options = conf.agent
    has_range = options.multiplex_port is None
    return ConsoleHost(
        host=options.host,
        console_type=console_type,
        public_hostname=options.public_hostname or options.host,
        compute_hosts=_patterns(options.compute_hosts),
        min_port=options.ports[0] if has_range else None,
        max_port=options.ports[-1] if has_range else None,
        multiplex_port=options.multiplex_port,
    )


def _patterns(patterns: list[str]) -> str:
    try:
        return " ".join(values.patterns(patterns))
    except ValueError as error:
        raise errors.ConfigurationError(
            f"[agent] compute_hosts {error}. Separate patterns by commas."
        ) from error
