# SPDX-License-Identifier: Apache-2.0
"""Console hosts."""

from console_api import errors, values
from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.consoles.console_hosts import ConsoleHost


def index(request: Request[None]) -> Response:
    """List all console hosts by name and console type."""
    found = request.service.console_hosts.list()
    return render_json({"console_hosts": [_render(host) for host in found]})


def show(request: Request[None]) -> Response:
    """Show a console host.

    :raises ConsoleHostNotFound: it does not exist
    """
    found = request.service.console_hosts.get(*_identity(request))
    return render_json({"console_host": _render(found)})


def update(request: Request[None]) -> Response:
    """Enable or disable a console host, and show it.

    :raises ConsoleHostNotFound: it does not exist
    """
    changed = request.service.console_hosts.set_enabled(
        *_identity(request), enabled=request.body["console_host"]["enabled"]
    )
    return render_json({"console_host": _render(changed)})


def _identity(request: Request[None]) -> tuple[str, str]:
    """Return the name and the console type that the path has."""
    # WSGI passes the bytes of the path decoded as Latin-1.
    host, console_type = (
        request.path[name].encode("latin-1").decode(errors="replace")
        for name in ("host", "console_type")
    )
    try:
        return values.host(host), values.console_type(console_type)
    except ValueError as error:
        # Databases refuse some of what cannot be a name.
        raise errors.ConsoleHostNotFound(host, console_type) from error


def _render(host: ConsoleHost) -> dict[str, object]:
    seen = host.last_seen_at
    return {
        "host": host.host,
        "console_type": host.console_type,
        "public_hostname": host.public_hostname,
        "compute_hosts": host.compute_hosts,
        "ports": _ports(host),
        "enabled": host.enabled,
        "state": host.state,
        "trouble": host.trouble,
        "consoles": host.consoles,
        "served": host.served,
        "failed": host.failed,
        "ports_used": host.ports_used,
        "version": host.version,
        "driver": host.driver,
        "last_seen_at": None if seen is None else seen.isoformat(),
    }


def _ports(host: ConsoleHost) -> dict[str, int | None]:
    if host.multiplex_port is not None:
        return {"multiplex": host.multiplex_port}
    return {"min": host.min_port, "max": host.max_port}
