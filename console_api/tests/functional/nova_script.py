# SPDX-License-Identifier: Apache-2.0
"""Does with Nova's own objects what a test asks for; Nova's Python runs it.

Its argument is the folder of ``nova.conf``.  Each line of its input is a list
of an action and its values, each line of its output what the action returned.
It also replies to calls about consoles, as the compute host of the servers.
"""

import json
import sys

import oslo_messaging
from nova import config, context, objects, rpc
from nova.api.openstack.compute.routes import ROUTE_LIST
from nova.compute.manager import ComputeManager
from nova.network import model
from nova.objects import base as objects_base


def create(admin, uuid: str, project_id: str) -> None:
    """Store an active server, as the API and a compute service would."""
    cell = _cell(admin)
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
            flavor=_flavor(),
            instance_type_id=1,
            system_metadata={},
        )
        server.create()
        server.info_cache.network_info = model.NetworkInfo([])
        server.info_cache.save()
        # One that has never changed is shown as changed just now.
        server.progress = 100
        server.save()
    objects.InstanceMapping(
        admin,
        instance_uuid=uuid,
        cell_mapping=cell,
        project_id=project_id,
        user_id="user",
        queued_for_delete=False,
    ).create()


def _flavor():
    return objects.Flavor(
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


def delete(admin, uuid: str) -> None:
    """Delete a server as a compute service would."""
    with context.target_cell(admin, _cell(admin)) as inside:
        objects.Instance.get_by_uuid(inside, uuid).destroy()
    mapping = objects.InstanceMapping.get_by_instance_uuid(admin, uuid)
    mapping.queued_for_delete = True
    mapping.save()


def issue_token(admin, uuid: str) -> str:
    """Issue a console auth token, as a compute service does."""
    with context.target_cell(admin, _cell(admin)) as inside:
        return _authorize(inside, uuid).token


def _authorize(inside, server_id: str):
    token = objects.ConsoleAuthToken(
        inside,
        console_type="novnc",
        host="compute-1.example.org",
        port=5907,
        instance_uuid=server_id,
        access_url_base="http://novnc.example.org/vnc_auto.html",
    )
    token.authorize(600)
    return token


class Consoles:
    """What a compute service answers when it is asked for a console."""

    target = oslo_messaging.Target(version=ComputeManager.target.version)

    def get_vnc_console(self, inside, console_type: str, instance):
        """Issue a token of the server's cell."""
        return {"access_url": _authorize(inside, instance.uuid).access_url}


def list_routes(_admin) -> list[tuple[str, str]]:
    """Return path and method of each operation."""
    return [
        (path, method)
        for path, methods in ROUTE_LIST
        # Else it is where a redirection leads.
        if isinstance(methods, dict)
        for method in methods
    ]


def _cell(admin):
    cells = objects.CellMappingList.get_all(admin)
    return next(cell for cell in cells if cell.name == "cell1")


_ACTIONS = {
    "create": create,
    "delete": delete,
    "issue_token": issue_token,
    "routes": list_routes,
}


def main(folder: str) -> None:
    """Do what is asked for until the input ends."""
    config.parse_args(["nova", "--config-file", f"{folder}/nova.conf"])
    objects.register_all()
    rpc.init(config.CONF)
    host = oslo_messaging.Target(topic="compute", server="compute-1")
    compute = rpc.get_server(
        host, [Consoles()], objects_base.NovaObjectSerializer()
    )
    compute.start()
    for line in sys.stdin:
        action, values = json.loads(line)
        done = _ACTIONS[action](context.get_admin_context(), **values)
        print(json.dumps(done), flush=True)
    compute.stop()
    compute.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
