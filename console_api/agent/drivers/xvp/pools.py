# SPDX-License-Identifier: Apache-2.0
"""The pools of the configuration, checked before anything runs on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from oslo_config import cfg

from console_api import errors
from console_api.agent.drivers.xvp import grammar, passwords
from console_api.agent.drivers.xvp.model import quote
from console_api.conf import xvp as options


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as it is configured.

    ``lines`` are those of ``xvp.conf`` that come before its servers;
    ``compute_hosts`` are shell patterns by spaces.
    """

    name: str
    compute_hosts: str
    lines: Sequence[str] = field(repr=False)


def read(conf: cfg.ConfigOpts) -> Sequence[Pool]:
    """Read the pools that ``[xvp] pools`` names.

    :raises ConfigurationError: there is none, or xvp would refuse one
    """
    names = conf.xvp.pools
    if not names:
        raise errors.ConfigurationError(
            "[xvp] pools: the driver `xvp` needs at least one pool."
        )
    if len(set(names)) < len(names):
        raise errors.ConfigurationError("[xvp] pools has a name twice.")
    return [_read(conf, name) for name in names]


def _read(conf: cfg.ConfigOpts, name: str) -> Pool:
    group = options.POOL_GROUP.format(name)
    conf.register_opts(options.POOL_OPTS, group=group)
    try:
        values = conf[group]
        lines = list(_lines(name, values))
        # The grammar has the rules; it wants to see a whole file.
        grammar.parse("\n".join([*lines, f"VM 1024 sample {'0' * 16}"]))
    except grammar.Refused as error:
        number, reason = error.refusals[0]
        # What is missing is noticed at the sample: only hosts can be.
        keyword = [*lines, "HOST"][number - 1].split()[0]
        raise errors.ConfigurationError(
            f"[{group}] cannot be used: {keyword}: {reason}."
        ) from error
    except (cfg.Error, ValueError) as error:
        raise errors.ConfigurationError(
            f"[{group}] cannot be used: {error}."
        ) from error
    return Pool(name, " ".join(values.compute_hosts), lines)


def _lines(name: str, values: cfg.ConfigOpts.GroupAttr) -> Iterator[str]:
    yield f"POOL {quote(name)}"
    yield f"DOMAIN {quote(values.domain)}"
    password = passwords.obfuscate_pool(values.manager_password or "")
    yield f"MANAGER {quote(values.manager_user)} {password}"
    for host in values.hosts:
        host_name, _, address = host.partition("=")
        yield " ".join(filter(None, ("HOST", address, quote(host_name))))
