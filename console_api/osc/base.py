# SPDX-License-Identifier: Apache-2.0
"""Base classes of the commands: the compute proxy and the server."""

import argparse
import re
from collections.abc import Iterable, Sequence

from openstack import exceptions as sdk_exceptions
from openstack.compute.v2 import _proxy as compute_proxy
from osc_lib import exceptions
from osc_lib.command import command

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


#: The names of columns and the rows, or the one row, of a command.
Table = tuple[Sequence[str], Iterable[object]]


class ComputeCommand(command.Command):
    """A command that calls the compute API, or the API in its place."""

    @property
    def compute(self) -> compute_proxy.Proxy:
        """The SDK's proxy for the cloud that the options name."""
        proxy: compute_proxy.Proxy = (
            self.app.client_manager.sdk_connection.compute
        )
        return proxy


class ServerCommand(ComputeCommand):
    """A command for the consoles of one server."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the server."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "server",
            metavar="<server>",
            help="Server (name or ID); an endpoint that serves consoles only "
            "requires the ID",
        )
        return parser

    def find_server_id(self, name_or_id: str) -> str:
        """Return the UUID of a server; a UUID is returned without a request.

        :raises CommandError: no server has this name
        """
        if _UUID.fullmatch(name_or_id.lower()):
            return name_or_id.lower()
        try:
            server = self.compute.find_server(name_or_id, ignore_missing=False)
        except sdk_exceptions.NotFoundException as error:
            raise _not_found(name_or_id) from error
        found = str(server.id)
        if not _UUID.fullmatch(found):
            # The SDK puts names such as `detail` or `..` into a path and
            # returns any resource there.
            raise _not_found(name_or_id)
        return found


def _not_found(name: str) -> exceptions.CommandError:
    return exceptions.CommandError(
        f"No server with the name {name} was found. If the endpoint serves "
        "consoles only, it does not know names: give the ID."
    )
