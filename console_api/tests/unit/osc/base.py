# SPDX-License-Identifier: Apache-2.0
"""Run commands of ``openstack`` against a compute API of mocks."""

import argparse
import contextlib
import io
import json
import unittest
from typing import Any
from unittest import mock

import requests
from openstack.compute.v2 import _proxy as compute_proxy
from osc_lib.command import command

SERVER = "00000000-0000-4000-8000-000000000001"
CONSOLES = f"/servers/{SERVER}/consoles"
STATES = "/os-consoles"


class CommandCase(unittest.TestCase):
    """Each test puts responses into ``answers``, by method and path.

    A response is a status and a document; a list has consecutive responses.
    """

    def setUp(self) -> None:
        super().setUp()
        # As Nova responds.
        self.answers: dict[tuple[str, str], Any] = {("get", STATES): (404, {})}
        self.requests: list[tuple[str, str]] = []
        self.compute = mock.Mock(spec=compute_proxy.Proxy)
        self.compute.default_microversion = None
        self.compute.retriable_status_codes = None
        for method in ("get", "post", "delete"):
            getattr(self.compute, method).side_effect = self._method(method)
        self.app = mock.Mock()
        self.app.client_manager.sdk_connection.compute = self.compute

    def _method(self, method: str) -> Any:
        def request(path: str, *_: Any, **__: Any) -> requests.Response:
            path = f"/{path.lstrip('/')}"
            self.requests.append((method, path))
            response = requests.Response()
            answer = self.answers[method, path]
            if isinstance(answer, list):
                answer = answer.pop(0)
            response.status_code, document = answer
            response.url = path
            response.headers["Content-Type"] = "application/json"
            response._content = b""
            if document is not None:
                response._content = json.dumps(document).encode()
            return response

        return request

    def add_consoles(self, *ids: int) -> None:
        """Let the server have consoles with these IDs."""
        items = [{"id": number, "console_type": "vnc"} for number in ids]
        self.answers["get", CONSOLES] = (
            200,
            {"consoles": [{"console": item} for item in items]},
        )

    def run_command(self, cls: type[command.Command], *arguments: str) -> Any:
        """Parse a command line and run the command."""
        command_ = cls(self.app, argparse.Namespace())
        parser = command_.get_parser("openstack")
        return command_.take_action(parser.parse_args(arguments))

    def assertUsage(
        self, message: str, cls: type[command.Command], *arguments: str
    ) -> None:
        """Assert that a command line is refused."""
        stderr = io.StringIO()
        with (
            contextlib.redirect_stderr(stderr),
            self.assertRaises(SystemExit) as caught,
        ):
            self.run_command(cls, *arguments)
        self.assertEqual(2, caught.exception.code)
        self.assertIn(message, stderr.getvalue())
        self.assertEqual([], self.requests)
