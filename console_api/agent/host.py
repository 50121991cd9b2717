# SPDX-License-Identifier: Apache-2.0
"""The console host that the configuration describes."""

from typing import Any

from oslo_config import cfg

from console_api import errors, values


def console_host(conf: cfg.ConfigOpts, console_type: str) -> dict[str, Any]:
    """Return the columns of this console host.

    :raises ConfigurationError: an option of ``[agent]`` is invalid
    """
    options = conf.agent
    return {
        "host": options.host,
        "console_type": console_type,
        "public_hostname": options.public_hostname or options.host,
        "compute_hosts": _patterns(options.compute_hosts),
        **_ports(conf),
    }


def _patterns(patterns: list[str]) -> str:
    try:
        return " ".join(values.patterns(patterns))
    except ValueError as error:
        raise errors.ConfigurationError(
            f"[agent] compute_hosts {error}. Separate patterns by commas."
        ) from error


def _ports(conf: cfg.ConfigOpts) -> dict[str, int | None]:
    multiplex_port = conf.agent.multiplex_port
    ports = None if multiplex_port is not None else conf.agent.ports
    return {
        "min_port": ports[0] if ports else None,
        "max_port": ports[-1] if ports else None,
        "multiplex_port": multiplex_port,
    }
