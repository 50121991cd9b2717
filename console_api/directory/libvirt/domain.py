# SPDX-License-Identifier: Apache-2.0
"""What the description of a libvirt domain says of a server.

The elements are those of https://libvirt.org/formatdomain.html; the metadata
is what Nova's libvirt driver writes into each domain.
"""

import ipaddress
import re
import xml.etree.ElementTree as ET  # nosec B405
from collections.abc import Iterator

from console_api.directory import checks
from console_api.directory.base import Endpoint, Server

# Nova counts the second number up when it adds something.
_INSTANCE = re.compile(
    r"\{(http://openstack\.org/xmlns/libvirt/nova/([^}]*))\}instance"
)
_KNOWN_VERSION = re.compile(r"1\.[0-9]+")

_GRAPHICS = ("vnc", "spice", "rdp")


def server_from_xml(xml: str, compute_host: str) -> Server | None:
    """Read a domain; None if it is no server of Nova's.

    Screens of a domain that does not run have no ports, and so are none.

    :raises ValueError: it cannot be understood
    """
    try:
        # libvirt has parsed it and written it anew, without a DTD.
        domain = ET.fromstring(xml)  # noqa: S314  # nosec B314
    except ET.ParseError as error:
        raise ValueError(f"it is no XML: {error}") from error
    found = _metadata(domain)
    if found is None:
        return None
    metadata, namespace = found
    project = metadata.find(f"{{{namespace}}}owner/{{{namespace}}}project")
    if project is None:
        raise ValueError("its metadata has no project")
    return Server(
        uuid=checks.text(domain.findtext("uuid"), "uuid"),
        project_id=checks.text(project.get("uuid"), "project"),
        name=checks.text(metadata.findtext(f"{{{namespace}}}name"), "name"),
        instance_name=checks.text(domain.findtext("name"), "domain name"),
        compute_host=compute_host,
        endpoints=dict(_endpoints(domain, compute_host)),
    )


def _metadata(domain: ET.Element) -> tuple[ET.Element, str] | None:
    for element in domain.iterfind("metadata/*"):
        match = _INSTANCE.fullmatch(element.tag)
        if match and not _KNOWN_VERSION.fullmatch(match[2]):
            raise ValueError(f"its metadata has version {match[2]!r:.40}")
        if match:
            return element, match[1]
    return None


def _endpoints(
    domain: ET.Element, compute_host: str
) -> Iterator[tuple[str, Endpoint]]:
    for graphics in domain.iterfind("devices/graphics"):
        protocol = graphics.get("type", "")
        if protocol in _GRAPHICS:
            yield from _endpoint(
                protocol,
                graphics.get("listen"),
                graphics.get("port"),
                graphics.get("tlsPort"),
                compute_host,
            )
    for serial in domain.iterfind("devices/serial[@type='tcp']"):
        source = serial.find("source[@mode='bind']")
        if source is not None:
            yield from _endpoint(
                "serial",
                source.get("host"),
                source.get("service"),
                None,
                compute_host,
            )
            # The first one is the console of the server.
            return


def _endpoint(
    protocol: str,
    address: str | None,
    port: str | None,
    tls_port: str | None,
    compute_host: str,
) -> Iterator[tuple[str, Endpoint]]:
    host = _host(address, compute_host)
    number, tls_number = _port(port), _port(tls_port)
    if host and (number or tls_number):
        yield (
            protocol,
            Endpoint(
                host=host,
                port=number or tls_number or 0,
                tls_port=tls_number,
            ),
        )


def _host(address: str | None, compute_host: str) -> str | None:
    """Return where an address is reached from elsewhere, None if nowhere.

    Whoever connected to a loopback address would reach itself, and perhaps
    the screen of somebody else's server.
    """
    if not address:
        return None
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        # As `localhost` and `ip6-localhost.localdomain` are.
        if "localhost" in address.lower():
            return None
        return checks.text(address, "listen")
    # An IPv6 address may have one of IPv4 in it.
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if parsed.is_loopback:
        return None
    return compute_host if parsed.is_unspecified else address


def _port(text: str | None) -> int | None:
    """Read a port; 0 and -1 stand for one that is not chosen yet."""
    if text in (None, "", "0", "-1"):
        return None
    return checks.port(int(text or ""), "port")
