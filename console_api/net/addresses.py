# SPDX-License-Identifier: Apache-2.0
"""Addresses of clients and displays."""

import functools
import ipaddress

# Providers assign at least this much to a single customer.
_IPV6_PREFIX_LENGTH = 64


# Addresses whose parsing is remembered: those of a busy moment.
_CACHE_SIZE = 1000


def is_numeric(host: str) -> bool:
    """Return whether a host is an address rather than a name."""
    try:
        _parse(host)
    except ValueError:
        return False
    return True


def readable(address: str) -> str:
    """Return an address as people write it: IPv4 is not mapped to IPv6.

    :param address: a numeric address
    """
    return str(_parse(address))


def network(address: str) -> str:
    """Return what all addresses that a client can choose have in common.

    That is the address itself for IPv4, also if it is mapped to IPv6, and the
    network of 64 bits for IPv6.

    :param address: a numeric address
    """
    parsed = _parse(address)
    if parsed.version == 4:
        return str(parsed)
    prefix = (int(parsed), _IPV6_PREFIX_LENGTH)
    return str(ipaddress.IPv6Network(prefix, strict=False))


@functools.lru_cache(_CACHE_SIZE)
def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return parsed.ipv4_mapped or parsed
    return parsed
