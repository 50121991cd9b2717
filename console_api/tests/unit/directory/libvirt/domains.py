# SPDX-License-Identifier: Apache-2.0
"""XML of domains for tests, as Nova and libvirt write it."""

from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER

METADATA = f"""
<metadata>
  <nova:instance
      xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
    <nova:package version="34.0.0"/>
    <nova:name>mail</nova:name>
    <nova:owner>
      <nova:user uuid="0a6e5f3e">ann</nova:user>
      <nova:project uuid="{base.PROJECT}">demo</nova:project>
    </nova:owner>
  </nova:instance>
</metadata>
"""


def graphics(kind: str, ports: str, listen: str = "192.0.2.10") -> str:
    """Return the XML of a screen."""
    return (
        f'<graphics type="{kind}" {ports} listen="{listen}">'
        f'<listen type="address" address="{listen}"/></graphics>'
    )


def domain(
    devices: str = "",
    uuid: str = SERVER,
    metadata: str = METADATA,
    kind: str = "test",
    state: str = "",
) -> str:
    """Return the XML of a domain.

    :param state: in the format of libvirt's test driver
    """
    return f"""
<domain type="{kind}">
  <name>instance-00000001</name>
  <uuid>{uuid}</uuid>
  {metadata}
  <memory unit="MiB">64</memory>
  <os><type>hvm</type></os>
  <devices>{devices}</devices>
  {state}
</domain>
"""


_NAMESPACE = 'xmlns:test="http://libvirt.org/schemas/domain/test/1.0"'


def _state(number: int) -> str:
    return f"<test:runstate>{number}</test:runstate>"


#: States of domains.
RUNNING, PAUSED, SHUT_OFF = _state(1), _state(3), _state(5)


def node(*xml: str) -> str:
    """Return the XML of a host of libvirt's test driver.

    :param xml: that of its domains
    """
    domains = "".join(xml).replace(
        '<domain type="test">', f'<domain type="test" {_NAMESPACE}>'
    )
    return f"<node>{domains}</node>"
