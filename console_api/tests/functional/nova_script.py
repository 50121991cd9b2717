# SPDX-License-Identifier: Apache-2.0
"""Execute actions of tests with Nova's objects, in Nova's environment.

The arguments are the folder of ``nova.conf`` and the name of the compute host
of all servers.  Each line of the input is a list of an action and its values,
each line of the output the action's result.  The script also replies to calls
about consoles, as that compute host.
"""

import json
import sys

import oslo_messaging
from nova import config, context, exception, objects, rpc
from nova.api.openstack.compute.routes import ROUTE_LIST
from nova.compute import utils
from nova.compute.manager import ComputeManager
from nova.network import model
from nova.notifications.objects.instance import InstanceActionNotification
from nova.objects import base as objects_base
from nova.objects import fields
from oslo_messaging.notify import _impl_test as recorded


def create(admin, uuid: str, project_id: str, host: str) -> None:
    """Store an active server, as the API and a compute service would."""
    cell = _cell(admin)
    with context.target_cell(admin, cell) as cell_context:
        server = objects.Instance(
            cell_context,
            uuid=uuid,
            project_id=project_id,
            user_id="user",
            display_name="web1",
            hostname="web1",
            host=host,
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
        # The API shows the current time for a server that was never updated.
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
    with context.target_cell(admin, _cell(admin)) as cell_context:
        objects.Instance.get_by_uuid(cell_context, uuid).destroy()
    mapping = objects.InstanceMapping.get_by_instance_uuid(admin, uuid)
    mapping.queued_for_delete = True
    mapping.save()


def change(admin, uuid: str, **values: object) -> None:
    """Change a server as compute services would."""
    with context.target_cell(admin, _cell(admin)) as cell_context:
        server = objects.Instance.get_by_uuid(cell_context, uuid)
        for name, value in values.items():
            setattr(server, name, value)
        server.save()


def notifications(admin, uuid: str) -> list[dict[str, object]]:
    """Return the notifications of each event of a server, in both formats."""
    del recorded.NOTIFICATIONS[:]
    with context.target_cell(admin, _cell(admin)) as cell_context:
        server = objects.Instance.get_by_uuid(
            cell_context, uuid, ["flavor", "info_cache", "metadata"]
        )
        _emit_versioned(cell_context, server)
        notifier = rpc.get_notifier("compute", server.host)
        for event in _LEGACY_EVENTS:
            utils.notify_about_instance_usage(
                notifier, cell_context, server, event
            )
    return [message for _, message, _, _ in recorded.NOTIFICATIONS]


def _emit_versioned(cell_context, server) -> None:
    """Emit the notifications that Nova has samples of."""
    common = (cell_context, server, server.host)
    for sample in InstanceActionNotification.samples:
        _, action, phase = f"{sample.removesuffix('.json')}-".split("-")[:3]
        if action not in fields.NotificationAction.ALL:
            continue
        try:
            _fail()
        except RuntimeError as error:
            utils.notify_about_instance_action(
                *common,
                action,
                phase or None,
                exception=error if phase == "error" else None,
            )
    for phase in ("start", "end"):
        utils.notify_about_instance_rescue_action(*common, "an-image", phase)
        utils.notify_about_instance_rebuild(*common, phase=phase)
        utils.notify_about_resize_prep_instance(*common, phase, server.flavor)


def _fail() -> None:
    """Raise an error: its origin is part of a notification."""
    raise RuntimeError("failed")


# As compute services and the API of Nova name them.
_LEGACY_EVENTS = [
    *(
        f"{action}.{phase}"
        for phase in ("start", "end")
        for action in (
            *("create", "delete", "soft_delete", "force_delete", "restore"),
            *("shutdown", "power_off", "power_on", "reboot", "rebuild"),
            *("pause", "unpause", "suspend", "resume", "snapshot"),
            *("resize", "resize.prep", "finish_resize"),
            *("resize.confirm", "resize.revert"),
            *("live_migration.pre", "live_migration._post"),
            *("live_migration.post.dest", "live_migration._rollback"),
            *("live_migration.rollback.dest", "live.migration.abort"),
            "live.migration.force.complete",
            *("rescue", "unrescue", "shelve", "shelve_offload", "unshelve"),
            *("create_ip", "delete_ip", "trigger_crash_dump"),
        )
    ),
    *("evacuate", "reboot.error", "rebuild.error", "resize.error"),
    *("volume.attach", "volume.detach", "exists"),
]


def issue_token(admin, uuid: str) -> str:
    """Issue a console auth token, as a compute service does."""
    with context.target_cell(admin, _cell(admin)) as cell_context:
        return _authorize(cell_context, uuid).token


def _authorize(cell_context, server_id: str, **values):
    token = objects.ConsoleAuthToken(
        cell_context,
        **{
            "console_type": "novnc",
            "host": "compute-1.example.org",
            "port": 5907,
            "instance_uuid": server_id,
            "access_url_base": "http://novnc.example.org/vnc_auto.html",
            **values,
        },
    )
    token.authorize(600)
    return token


# Endpoints of servers that have a display of their own, by UUID and console
# type.
_displays: dict[tuple[str, str], dict[str, object]] = {}


def set_display(
    _admin, uuid: str, console_type: str, **endpoint: object
) -> None:
    """Let a server have its display of a type on a host and port."""
    _displays[uuid, console_type] = endpoint


class Consoles:
    """Replies of a compute service to calls about consoles.

    Each returns the access URL of a new token in the server's cell.
    """

    target = oslo_messaging.Target(version=ComputeManager.target.version)

    def get_vnc_console(self, cell_context, console_type: str, instance):
        """Return the access URL of the server's display, or of any."""
        return _access(cell_context, console_type, instance, {})

    def get_spice_console(self, cell_context, console_type: str, instance):
        """Return the access URL of the server's display, or of any."""
        endpoint = {"port": 6969, "tls_port": 6970}
        return _access(cell_context, console_type, instance, endpoint)

    @oslo_messaging.expected_exceptions(exception.ConsoleTypeUnavailable)
    def get_serial_console(self, cell_context, console_type: str, instance):
        """Return the access URL of the server's serial port, if it has one."""
        if (instance.uuid, console_type) not in _displays:
            raise exception.ConsoleTypeUnavailable(console_type=console_type)
        return _access(cell_context, console_type, instance, {})


def _access(cell_context, console_type: str, instance, default):
    endpoint = _displays.get((instance.uuid, console_type), default)
    token = _authorize(
        cell_context, instance.uuid, console_type=console_type, **endpoint
    )
    return {"access_url": token.access_url}


def list_routes(_admin) -> list[tuple[str, str]]:
    """Return path and method of each operation."""
    return [
        (path, method)
        for path, methods in ROUTE_LIST
        # Otherwise it is the target of a redirection.
        if isinstance(methods, dict)
        for method in methods
    ]


def _cell(admin):
    cells = objects.CellMappingList.get_all(admin)
    return next(cell for cell in cells if cell.name == "cell1")


_ACTIONS = {
    "change": change,
    "create": create,
    "delete": delete,
    "issue_token": issue_token,
    "notifications": notifications,
    "routes": list_routes,
    "set_display": set_display,
}


def main(folder: str, host: str) -> None:
    """Execute actions until the input ends."""
    config.parse_args(["nova", "--config-file", f"{folder}/nova.conf"])
    objects.register_all()
    rpc.init(config.CONF)
    target = oslo_messaging.Target(topic="compute", server=host)
    compute = rpc.get_server(
        target, [Consoles()], objects_base.NovaObjectSerializer()
    )
    compute.start()
    for line in sys.stdin:
        action, values = json.loads(line)
        result = _ACTIONS[action](context.get_admin_context(), **values)
        print(json.dumps(result), flush=True)
    compute.stop()
    compute.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
