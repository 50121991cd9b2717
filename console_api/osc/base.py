# SPDX-License-Identifier: Apache-2.0
"""What the commands share: the proxy of the compute API, and the server."""

import argparse
import re

from openstack import exceptions as sdk_exceptions
from openstack.compute.v2 import _proxy as compute_proxy
from osc_lib import exceptions
from osc_lib.command import command

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ComputeCommand(command.Command):
    """A command on the compute API, or on what answers in its place."""

    @property
    def compute(self) -> compute_proxy.Proxy:
        """The proxy of the SDK, for the cloud that the options name."""
        proxy: compute_proxy.Proxy = (
            self.app.client_manager.sdk_connection.compute
        )
        return proxy


class ServerCommand(ComputeCommand):
    """A command on the consoles of one server."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the server."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "server",
            metavar="<server>",
            help="Server (name or ID); only its ID where the endpoint serves "
            "consoles alone",
        )
        return parser

    def find_server_id(self, name_or_id: str) -> str:
        """Return the UUID of a server; one that is given is not looked up.

        :raises CommandError: no server is found by this name
        """
        if _UUID.fullmatch(name_or_id.lower()):
            return name_or_id.lower()
        try:
            server = self.compute.find_server(name_or_id, ignore_missing=False)
        except sdk_exceptions.NotFoundException as error:
            raise _not_found(name_or_id) from error
        found = str(server.id)
        if not _UUID.fullmatch(found):
            # The SDK puts the name into a path, as `detail` or `..`, and
            # takes whatever is there for the server.
            raise _not_found(name_or_id)
        return found


def _not_found(name: str) -> exceptions.CommandError:
    return exceptions.CommandError(
        f"No server named {name} is found. An endpoint that serves consoles "
        "alone cannot look for names: give the ID."
    )
