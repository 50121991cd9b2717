# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage server``: servers of the directory `database`."""

import argparse
import dataclasses
import uuid
from collections.abc import Iterator, Sequence

from cliff import columns, lister, show

from console_api import errors, values
from console_api.cmd.arguments import argument
from console_api.cmd.commands import Table, UsageError
from console_api.cmd.manage.base import (
    DisplayCommand,
    ManageCommand,
    advised,
)
from console_api.cmd.manage.endpoints import (
    Row,
    endpoints_by_protocol,
    parse_endpoint,
)
from console_api.db import servers
from console_api.db.engine import Database
from console_api.db.servers import Endpoint, Server, ServerChanges

COLUMNS = ("uuid", "name", "project_id", "compute_host", "instance_name")

# How many servers to read from the database at a time.
_PAGE_SIZE = 1000

_ENDPOINT_METAVAR = "protocol=NAME,host=HOST,port=PORT"

_ENDPOINT_HELP = (
    "Where the server's screen is served. NAME is one of "
    f"{', '.join(values.PROTOCOLS)}; tls_port=PORT and "
    "internal_access_path=TEXT are optional. Can be repeated, once per "
    "protocol."
)


class Endpoints(columns.FormattableColumn[list[Row]]):
    """Endpoints, in tables as ``--endpoint`` takes them."""

    def human_readable(self) -> str:
        """Return one endpoint per line."""
        return "\n".join(
            ",".join(
                f"{key}={value}"
                for key, value in endpoint.items()
                if value is not None
            )
            for endpoint in self._value
        )


class Create(DisplayCommand, show.ShowOne):
    """Register a server so that it can have consoles."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the values of a server."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "name",
            metavar="NAME",
            type=argument(values.name),
            help="The name of the server.",
        )
        parser.add_argument(
            "--uuid",
            type=argument(values.uuid),
            help="The UUID of the server. (default: a random one)",
        )
        parser.add_argument(
            "--project",
            required=True,
            type=argument(values.name),
            help="The ID of the project that owns the server.",
        )
        _add_location(parser, " (default: NAME)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Store the server and return its columns."""
        server = Server(
            uuid=parsed_args.uuid or str(uuid.uuid4()),
            project_id=parsed_args.project,
            name=parsed_args.name,
            instance_name=parsed_args.instance_name or parsed_args.name,
            compute_host=parsed_args.compute_host,
            endpoints=_endpoints(parsed_args.endpoints),
        )
        try:
            servers.insert(self.app.database, [server])
        except errors.AlreadyExists as error:
            raise advised(error, "Change it with `server set`.") from error
        return _shown(self.app.database, server.uuid)


class Set(ManageCommand):
    """Change a server.

    Changing the project, compute host or endpoints revokes the server's
    console auth tokens. Changing the project also deletes its consoles.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the values that can change."""
        parser = super().get_parser(prog_name)
        _add_uuid(parser)
        parser.add_argument(
            "--name",
            type=argument(values.name),
            help="The new name of the server.",
        )
        parser.add_argument(
            "--project",
            type=argument(values.name),
            help="The ID of the project that owns the server now.",
        )
        _add_location(parser)
        parser.add_argument(
            "--no-compute-host",
            action="store_true",
            help="Remove the server from its compute host. Without a compute "
            "host, it has no screen.",
        )
        parser.add_argument(
            "--no-endpoint",
            dest="removed",
            action="append",
            default=[],
            choices=values.PROTOCOLS,
            help="Remove the endpoint of a protocol. Can be repeated.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Store the changes."""
        changed = _changes(parsed_args)
        endpoints = _endpoints(parsed_args.endpoints)
        if not (changed or endpoints or parsed_args.removed):
            raise UsageError(
                "Nothing to change. Use an option such as --name."
            )
        both = endpoints.keys() & set(parsed_args.removed)
        if both:
            raise UsageError(
                f"Use either --endpoint or --no-endpoint for {both.pop()}."
            )
        if not servers.update(
            self.app.database,
            parsed_args.uuid,
            changed,
            endpoints,
            parsed_args.removed,
        ):
            raise errors.ServerNotFound(parsed_args.uuid)


class List(DisplayCommand, lister.Lister):
    """List all servers, sorted by UUID."""

    def take_action(self, _parsed_args: argparse.Namespace) -> Table:
        """Return the servers; they are read while they are printed."""
        return COLUMNS, _all_servers(self.app.database)


class Show(DisplayCommand, show.ShowOne):
    """Show a server with its endpoints."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the server."""
        parser = super().get_parser(prog_name)
        _add_uuid(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the columns of the server."""
        return _shown(self.app.database, parsed_args.uuid)


class Delete(ManageCommand):
    """Delete servers with their consoles and console auth tokens."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the servers."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "uuids",
            metavar="UUID",
            nargs="+",
            help="The UUID of a server.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete the servers that exist and report those that do not."""
        database = self.app.database
        missing = [
            server_id
            for server_id in dict.fromkeys(parsed_args.uuids)
            if not values.is_uuid(server_id)
            or not servers.delete(database, server_id)
        ]
        if missing:
            raise errors.NotFound(
                f"Servers not found: {', '.join(map(ascii, missing))}. All "
                "other given servers are deleted. See `server list`."
            )


def _add_uuid(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "uuid",
        metavar="UUID",
        type=argument(values.uuid),
        help="The UUID of the server.",
    )


def _add_location(
    parser: argparse.ArgumentParser, instance_name_default: str = ""
) -> None:
    parser.add_argument(
        "--instance-name",
        type=argument(values.name),
        help="The name of the server on its hypervisor."
        f"{instance_name_default}",
    )
    parser.add_argument(
        "--compute-host",
        type=argument(values.host),
        help="The compute host that the server is on.",
    )
    parser.add_argument(
        "--endpoint",
        dest="endpoints",
        metavar=_ENDPOINT_METAVAR,
        action="append",
        default=[],
        type=argument(parse_endpoint),
        help=_ENDPOINT_HELP,
    )


def _endpoints(given: Sequence[Row]) -> dict[str, Endpoint]:
    protocols = [endpoint["protocol"] for endpoint in given]
    for protocol in values.PROTOCOLS:
        if protocols.count(protocol) > 1:
            raise UsageError(f"Use --endpoint only once for {protocol}.")
    return endpoints_by_protocol(given)


def _changes(parsed_args: argparse.Namespace) -> ServerChanges:
    changes: ServerChanges = {}
    if parsed_args.name is not None:
        changes["name"] = parsed_args.name
    if parsed_args.project is not None:
        changes["project_id"] = parsed_args.project
    if parsed_args.instance_name is not None:
        changes["instance_name"] = parsed_args.instance_name
    if parsed_args.compute_host is not None:
        changes["compute_host"] = parsed_args.compute_host
    if parsed_args.no_compute_host:
        if "compute_host" in changes:
            raise UsageError("Use either --compute-host or --no-compute-host.")
        changes["compute_host"] = None
    return changes


def _all_servers(database: Database) -> Iterator[Sequence[object]]:
    marker = ""
    while page := servers.list_page(database, marker, _PAGE_SIZE):
        yield from map(_columns, page)
        marker = page[-1].uuid


def _shown(database: Database, server_id: str) -> Table:
    server = servers.get(database, server_id)
    if server is None:
        raise errors.ServerNotFound(server_id)
    endpoints = [
        {"protocol": protocol, **dataclasses.asdict(endpoint)}
        for protocol, endpoint in server.endpoints.items()
    ]
    return (*COLUMNS, "endpoints"), (*_columns(server), Endpoints(endpoints))


def _columns(server: Server) -> Sequence[object]:
    return tuple(getattr(server, column) for column in COLUMNS)
