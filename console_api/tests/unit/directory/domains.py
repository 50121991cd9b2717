# SPDX-License-Identifier: Apache-2.0
"""Descriptions of domains for tests, as Nova and libvirt write them."""

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
    """Describe a screen."""
    return (
        f'<graphics type="{kind}" {ports} listen="{listen}">'
        f'<listen type="address" address="{listen}"/></graphics>'
    )


def domain(
    devices: str = "",
    uuid: str = SERVER,
    metadata: str = METADATA,
    kind: str = "test",
    more: str = "",
) -> str:
    """Describe a domain."""
    return f"""
<domain type="{kind}">
  <name>instance-00000001</name>
  <uuid>{uuid}</uuid>
  {metadata}
  <memory unit="MiB">64</memory>
  <os><type>hvm</type></os>
  <devices>{devices}</devices>
  {more}
</domain>
"""
