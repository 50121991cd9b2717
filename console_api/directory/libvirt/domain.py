# SPDX-License-Identifier: Apache-2.0
"""The server that the XML of a libvirt domain describes.

The elements are documented in https://libvirt.org/formatdomain.html; the
metadata is what Nova's libvirt driver writes into each domain.
"""

import ipaddress
import re
import xml.etree.ElementTree as ET  # nosec B405
from collections.abc import Iterator

from console_api import values
from console_api.directory.base import Endpoint, Server

# Nova increases the minor version when it adds an element.
_INSTANCE = re.compile(
    r"\{(http://openstack\.org/xmlns/libvirt/nova/([^}]*))\}instance"
)
_KNOWN_VERSION = re.compile(r"1\.[0-9]+")

_GRAPHICS = ("vnc", "spice", "rdp")


def server_from_xml(xml: str, compute_host: str) -> Server | None:
    """Return the server of a domain, None if Nova did not create it.

    The displays of an inactive domain have no ports, so it has no endpoints.

    :raises ValueError: the XML or a value in it is invalid
    """
    try:
        # libvirt has parsed and serialized it, without a DTD.
        domain = ET.fromstring(xml)  # noqa: S314  # nosec B314
    except ET.ParseError as error:
        raise ValueError(f"invalid XML: {error}") from error
    found = _metadata(domain)
    if found is None:
        return None
    metadata, namespace = found
    project = metadata.find(f"{{{namespace}}}owner/{{{namespace}}}project")
    if project is None:
        raise ValueError("there is no project in the metadata")
    return Server(
        uuid=_text("uuid", domain.findtext("uuid")),
        project_id=_text("project", project.get("uuid")),
        name=_text("name", metadata.findtext(f"{{{namespace}}}name")),
        instance_name=_text("domain name", domain.findtext("name")),
        compute_host=compute_host,
        endpoints=dict(_endpoints(domain, compute_host)),
    )


def _metadata(domain: ET.Element) -> tuple[ET.Element, str] | None:
    for element in domain.iterfind("metadata/*"):
        match = _INSTANCE.fullmatch(element.tag)
        if match and not _KNOWN_VERSION.fullmatch(match[2]):
            raise ValueError(f"unknown metadata version {match[2]!r:.40}")
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
            # The first device is the console of the server.
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
    """Return the host to connect to for an address that QEMU listens on.

    :returns: None for a loopback address: a console host would connect to
        itself, and possibly to the display of another server
    """
    if not address:
        return None
    host = values.named("listen", values.endpoint_host, address)
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        # Such as `localhost` and `ip6-localhost.localdomain`.
        return None if "localhost" in host.lower() else host
    # An IPv6 address may contain an IPv4 address.
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if parsed.is_loopback:
        return None
    return compute_host if parsed.is_unspecified else host


def _port(text: str | None) -> int | None:
    """Return a port, None for 0 and -1: not allocated yet."""
    if text in (None, "", "0", "-1"):
        return None
    return values.named("port", values.port, int(text or ""))


def _text(name: str, value: str | None) -> str:
    return values.named(name, values.text, value)
