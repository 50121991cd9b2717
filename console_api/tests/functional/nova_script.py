# SPDX-License-Identifier: Apache-2.0
"""Makes and deletes servers with Nova's own objects; Nova's Python runs it.

Arguments: the folder of ``nova.conf``, ``create`` or ``delete``, and the
values as JSON.
"""

import json
import sys

from nova import config, context, objects
from nova.network import model


def create(admin, uuid: str, project_id: str) -> None:
    """Store an active server, as the API and a compute service would."""
    cell = _cell(admin)
    flavor = objects.Flavor(
        id=1,
        name="small",
        flavorid="1",
        vcpus=1,
        memory_mb=64,
        root_gb=1,
        ephemeral_gb=0,
        swap=0,
        rxtx_factor=1,
        vcpu_weight=0,
        disabled=False,
        is_public=True,
        extra_specs={},
        description=None,
    )
    with context.target_cell(admin, cell) as inside:
        server = objects.Instance(
            inside,
            uuid=uuid,
            project_id=project_id,
            user_id="user",
            display_name="web1",
            hostname="web1",
            host="compute-1",
            vm_state="active",
            power_state=1,
            image_ref="",
            flavor=flavor,
            instance_type_id=1,
            system_metadata={},
        )
        server.create()
        server.info_cache.network_info = model.NetworkInfo([])
        server.info_cache.save()
    objects.InstanceMapping(
        admin,
        instance_uuid=uuid,
        cell_mapping=cell,
        project_id=project_id,
        user_id="user",
        queued_for_delete=False,
    ).create()


def delete(admin, uuid: str) -> None:
    """Delete a server as a compute service would."""
    with context.target_cell(admin, _cell(admin)) as inside:
        objects.Instance.get_by_uuid(inside, uuid).destroy()
    mapping = objects.InstanceMapping.get_by_instance_uuid(admin, uuid)
    mapping.queued_for_delete = True
    mapping.save()


def _cell(admin):
    cells = objects.CellMappingList.get_all(admin)
    return next(cell for cell in cells if cell.name == "cell1")


def main(folder: str, action: str, values: str) -> None:
    """Do it."""
    config.parse_args(["nova", "--config-file", f"{folder}/nova.conf"])
    objects.register_all()
    {"create": create, "delete": delete}[action](
        context.get_admin_context(), **json.loads(values)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
