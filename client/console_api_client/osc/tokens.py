# SPDX-License-Identifier: Apache-2.0
"""``openstack console token``: tokens in the access URLs of consoles."""

from __future__ import annotations

import argparse
import sys
from urllib.parse import parse_qs, urlsplit

from osc_lib import exceptions

from console_api_client.osc.base import ServerFinder


class RevokeToken(ServerFinder):
    """Revoke console auth tokens, so that access URLs stop working."""

    example = "console token revoke --server web-1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the token or the server."""
        parser = super().get_parser(prog_name)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "token",
            metavar="<token>",
            nargs="?",
            help="Token, or access URL that contains it; - reads it from "
            "standard input",
        )
        what.add_argument(
            "--server",
            metavar="<server>",
            help="Revoke all tokens of this server (name or ID)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Revoke the tokens."""
        if parsed_args.server is not None:
            server_id = self.find_server_id(parsed_args.server)
            self.console.revoke_server_tokens(server_id)
            return
        text = parsed_args.token
        if text == "-":
            text = sys.stdin.readline().strip()
        self.console.revoke_token(_token(text))


def _token(text: str) -> str:
    """Return the token of an access URL, or the text if it is no URL.

    In URLs of noVNC, the token is in the query of a path in the query.
    """
    if "://" not in text:
        return text
    try:
        query = parse_qs(urlsplit(text).query)
        if "path" in query:
            query.update(parse_qs(urlsplit(query["path"][0]).query))
    except ValueError as error:
        raise exceptions.CommandError(
            f"The URL is invalid: {error}."
        ) from error
    if "token" not in query:
        raise exceptions.CommandError("The URL contains no token.")
    return query["token"][0]
