# SPDX-License-Identifier: Apache-2.0
"""What this console host is, by its configuration."""

from typing import Any

from oslo_config import cfg

from console_api import errors

_HIGHEST_PORT = 65535

# As long as the column that the patterns are kept in.
_PATTERNS_LENGTH = 1024


def port_range(conf: cfg.ConfigOpts) -> range:
    """Return the ports of ``[agent] ports``.

    :raises ConfigurationError: they are none
    """
    text = conf.agent.ports
    lowest, highest = map(int, text.split("-"))
    if not 1 <= lowest <= highest <= _HIGHEST_PORT:
        raise errors.ConfigurationError(
            f"[agent] ports: {text} is not a range of ports. Give the lower "
            f"port first, each from 1 to {_HIGHEST_PORT}."
        )
    return range(lowest, highest + 1)


def console_host(conf: cfg.ConfigOpts, console_type: str) -> dict[str, Any]:
    """Return the columns of this console host.

    :raises ConfigurationError: an option of ``[agent]`` cannot be used
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
    joined = " ".join(dict.fromkeys(patterns))
    if len(joined.split()) != len(set(patterns)):
        raise errors.ConfigurationError(
            "[agent] compute_hosts: patterns have no blanks; separate them by "
            "commas."
        )
    if not joined or len(joined) > _PATTERNS_LENGTH:
        raise errors.ConfigurationError(
            "[agent] compute_hosts: give one pattern at least, and at most "
            f"{_PATTERNS_LENGTH} characters together."
        )
    return joined


def _ports(conf: cfg.ConfigOpts) -> dict[str, int | None]:
    multiplex_port = conf.agent.multiplex_port
    ports = None if multiplex_port is not None else port_range(conf)
    return {
        "min_port": ports[0] if ports else None,
        "max_port": ports[-1] if ports else None,
        "multiplex_port": multiplex_port,
    }
