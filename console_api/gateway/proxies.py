# SPDX-License-Identifier: Apache-2.0
"""Where requests come from, through trusted proxies and without them."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from console_api.gateway.brokers.base import Client
from console_api.net.addresses import readable

# Longer chains of proxies are cut, in bytes.
_MAX_CHAIN_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request comes from, and what the viewer's browser sees.

    ``scheme`` and ``host`` are those of the URL in the browser.
    """

    client: Client
    scheme: str
    host: str

    @property
    def is_secure(self) -> bool:
        """Whether the browser uses HTTPS."""
        return self.scheme == "https"


class TrustedProxies:
    """Proxies whose headers are believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Prepare the check.

        :param networks: addresses or networks
        :raises ValueError: one of them is neither
        """
        self._networks = [
            ipaddress.ip_network(text, strict=False) for text in networks
        ]

    def trust(self, address: str) -> bool:
        """Return whether an address is that of a trusted proxy."""
        if not self._networks:
            return False
        try:
            parsed = ipaddress.ip_address(readable(address))
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def source(
        self,
        peer: Client,
        headers: Mapping[str, str],
        *,
        is_secure: bool,
    ) -> Source:
        """Return where a request comes from.

        :param peer: the other end of the connection; its proxy has used the
            PROXY protocol
        :param is_secure: whether the connection uses TLS
        """
        scheme = "https" if is_secure else "http"
        host = headers.get("Host", "")
        # A proxy that uses the PROXY protocol forwards what viewers send, also
        # their headers.
        if not self.trust(peer.address):
            return Source(peer, scheme, host)
        proxy = peer.proxy_address or peer.address
        forwarded = headers.get("X-Forwarded-Proto", "").strip().lower()
        if forwarded in ("http", "https"):
            scheme = forwarded
        host = headers.get("X-Forwarded-Host", host).strip()
        address = self._first_untrusted(
            peer.address, headers.get("X-Forwarded-For", "")
        )
        if address == proxy:
            return Source(peer, scheme, host)
        return Source(Client(address, proxy), scheme, host)

    def _first_untrusted(self, address: str, chain: str) -> str:
        """Return the address that the nearest untrusted client connects from.

        Each proxy appends the address of its client; those in front of the
        first untrusted one may be invented.
        """
        for text in reversed(chain[-_MAX_CHAIN_LENGTH:].split(",")):
            if not self.trust(address):
                break
            try:
                address = readable(text.strip().strip("[]"))
            except ValueError:
                break
        return address
