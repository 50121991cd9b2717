# SPDX-License-Identifier: Apache-2.0
"""A cloud of one HTTP server: Keystone, compute and console."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SERVER = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"

_DOMAIN = {"id": "default", "name": "Default"}

#: A response: its status, and a document or nothing.
Answer = tuple[int, Any]


class Cloud:
    """Responds as a test says, and records the requests of services.

    ``answers`` has responses by request, such as ``GET console /os-consoles``;
    a list has consecutive responses, of which the last one is repeated.
    """

    def __init__(self, services: Sequence[str]) -> None:
        """Start it with these services in the catalog."""
        self.services = services
        self.answers: dict[str, Answer | list[Answer]] = {}
        #: Requests of services, without those for versions.
        self.requests: list[str] = []
        #: The last document that was sent with each request.
        self.bodies: dict[str, Any] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.cloud = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        """Stop it."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def respond(self, method: str, target: str, body: bytes) -> Answer:
        """Return the response to a request of a service."""
        path = urlsplit(target).path
        service, _, rest = path.strip("/").partition("/")
        if service == "identity":
            return self._identify(method)
        _, _, rest = rest.partition("/")
        if not rest:
            url = f"{self.url}/{service}/v2.1/"
            version = _version("v2.1", url)
            if path == urlsplit(url).path.rstrip("/"):
                return 200, {"version": version}
            return 200, {"versions": [version]}
        query = urlsplit(target).query
        request = f"{method} {service} /{rest}" + (
            f"?{query}" if query else ""
        )
        self.requests.append(request)
        if body:
            self.bodies[request] = json.loads(body)
        answer = self.find(request)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return answer

    def find(self, request: str) -> Answer | list[Answer]:
        """Return what the test has set for a request."""
        return self.answers.get(request, fault(404, _UNKNOWN_PATH))

    def _identify(self, method: str) -> Answer:
        if method == "GET":
            version = _version("v3.14", f"{self.url}/identity/v3/")
            return 200, {"version": {**version, "status": "stable"}}
        catalog = [
            {
                "id": name,
                "type": name,
                "name": name,
                "endpoints": [
                    {
                        "id": name,
                        "interface": "public",
                        "region": "one",
                        "region_id": "one",
                        "url": f"{self.url}/{name}/v2.1",
                    }
                ],
            }
            for name in self.services
        ]
        token = {
            "methods": ["password"],
            "user": {"id": "user", "name": "user", "domain": _DOMAIN},
            "project": {"id": "project", "name": "demo", "domain": _DOMAIN},
            "issued_at": "2026-01-15T12:00:00.000000Z",
            "expires_at": "2126-01-15T12:00:00.000000Z",
            "roles": [{"id": "member", "name": "member"}],
            "catalog": catalog,
        }
        return 201, {"token": token}


_UNKNOWN_PATH = "The resource could not be found."


def fault(status: int, message: str) -> Answer:
    """Return the response for an error."""
    return status, {"fault": {"code": status, "message": message}}


def _version(name: str, url: str) -> dict[str, Any]:
    return {
        "id": name,
        "status": "CURRENT",
        "version": "2.104",
        "min_version": "2.1",
        "links": [{"rel": "self", "href": url}],
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        cloud: Cloud = self.server.cloud  # type: ignore[attr-defined]
        status, document = cloud.respond(self.command, self.path, body)
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Subject-Token", "token-of-user")
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_args: object) -> None:
        """Log nothing."""
