# SPDX-License-Identifier: Apache-2.0
"""The options of pools and ports, checked before xvp is started."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ParamSpec

from oslo_config import cfg

from console_api import errors
from console_api.agent.drivers.xvp import fields, passwords
from console_api.conf import xvp as options

_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of XenServer hosts.

    ``lines`` are the lines of ``xvp.conf`` that precede those of its
    servers; ``compute_hosts`` are shell patterns.  ``host_names`` has the
    names of its hosts, with and without their domain, in lower case: xvp
    would show the control domain of a host for a server of that name.
    """

    name: str
    compute_hosts: Sequence[str]
    host_names: frozenset[str]
    lines: Sequence[str] = field(repr=False)


def read(conf: cfg.ConfigOpts) -> Sequence[Pool]:
    """Return the pools that ``[xvp] pools`` names.

    :raises ConfigurationError: there is none, or xvp would refuse one
    """
    names = conf.xvp.pools
    if not names:
        raise errors.ConfigurationError(
            "[xvp] pools: the driver `xvp` needs at least one pool."
        )
    if len(set(names)) < len(names):
        raise errors.ConfigurationError(
            "[xvp] pools must not name a pool twice."
        )
    return [_read(conf, name) for name in names]


def check_ports(conf: cfg.ConfigOpts) -> None:
    """Refuse ports that the API would assign and xvp cannot serve.

    :raises ConfigurationError: there is such a port
    """
    multiplex_port = conf.agent.multiplex_port
    if multiplex_port is not None:
        if multiplex_port not in fields.PORTS:
            raise errors.ConfigurationError(
                "[agent] multiplex_port: xvp accepts ports from 1024 to 65535."
            )
        return
    found = conf.agent.ports
    if found[0] not in fields.PORTS or len(found) > fields.MAX_PORTS:
        raise errors.ConfigurationError(
            f"[agent] ports: xvp accepts at most {fields.MAX_PORTS} ports, "
            "from 1024 up. Set such a range, or [agent] multiplex_port."
        )


def _read(conf: cfg.ConfigOpts, name: str) -> Pool:
    group = options.POOL_GROUP.format(name)
    conf.register_opts(options.POOL_OPTS, group=group)
    try:
        pool = conf[group]
        return Pool(
            name,
            tuple(pool.compute_hosts),
            _host_names(pool),
            list(_lines(name, pool)),
        )
    except (cfg.Error, ValueError) as error:
        raise errors.ConfigurationError(f"[{group}] {error}.") from error


def _lines(name: str, pool: cfg.ConfigOpts.GroupAttr) -> Iterator[str]:
    yield f"POOL {_write('name', fields.pool, name)}"
    yield f"DOMAIN {_write('domain', fields.domain, pool.domain)}"
    user = _write(
        "manager_user", fields.word, pool.manager_user, fields.MAX_USER_LENGTH
    )
    password = _write(
        "manager_password",
        passwords.obfuscate_pool,
        pool.manager_password or "",
    )
    yield f"MANAGER {user} {password}"
    names = [host.partition("=")[0] for host in pool.hosts]
    if not names:
        raise ValueError("hosts must name at least one host")
    if len(set(names)) < len(names):
        raise ValueError("hosts must not name a host twice")
    for host in pool.hosts:
        host_name, _, address = host.partition("=")
        written = _write("hosts", fields.host, host_name, address or None)
        yield f"HOST {written}"


def _host_names(pool: cfg.ConfigOpts.GroupAttr) -> frozenset[str]:
    names = {host.partition("=")[0].casefold() for host in pool.hosts}
    suffix = f".{pool.domain.casefold()}"
    return frozenset(
        {name.removesuffix(suffix) for name in names}
        | {name.removesuffix(suffix) + suffix for name in names}
        | names
    )


def _write(
    option: str,
    write: Callable[_P, str],
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> str:
    try:
        return write(*args, **kwargs)
    except ValueError as error:
        raise ValueError(f"{option} {error}") from error
