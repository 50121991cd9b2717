# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that responds as Nova does, or incorrectly."""

import json
import threading
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from console_api.tests.unit.base import UNKNOWN_SERVER

#: The service user's token.
TOKEN = "token-of-the-service-user"

CONSOLE_TOKEN = "3f1f7c52-6a0e-4a58-9d3c-3f7c2a6f1a01"


def fault(status: int, key: str) -> tuple[int, Any]:
    """Return a response in the form of Nova's faults."""
    return status, {key: {"code": status, "message": "Failed."}}


class FakeNova(ThreadingHTTPServer):
    """A Nova with ``servers`` by id; ``responses`` replace its own.

    Their keys are a method and the beginning of a path.  A response is a
    status and a document or bytes, or a function that takes the handler of
    the request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port of the loopback address."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v2.1"
        self.servers: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.responses: dict[tuple[str, str], Any] = {}
        self.microversions = ["compute 2.31", "compute 2.99"]
        #: Method and path of each request.
        self.requests: list[tuple[str, str]] = []
        #: Set when the server stops; ends pending responses.
        self.stopped = threading.Event()
        self._endpoint: dict[str, Any] = {}
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()

    @property
    def options(self) -> dict[str, str]:
        """The options in ``[nova]`` of its clients."""
        return {
            "auth_type": "admin_token",
            "endpoint": self.url,
            "token": TOKEN,
        }

    def stop(self) -> None:
        """Stop the server."""
        self.stopped.set()
        self.shutdown()
        self.server_close()

    def add_server(self, server_id: str, **values: Any) -> None:
        """Add a server, with the attributes that administrators see."""
        self.servers[server_id] = {
            "id": server_id,
            "tenant_id": "a0a0a0a0a0a04b4b8c8cd1d1d1d1d1d1",
            "name": "mail",
            "OS-EXT-SRV-ATTR:host": "compute-1",
            "OS-EXT-SRV-ATTR:instance_name": "instance-00000001",
            "OS-EXT-SRV-ATTR:hypervisor_hostname": "node-1",
            **values,
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: clients disconnect on purpose."""

    def respond(self, method: str, path: str, body: Any) -> Any:
        """Return the response to a request."""
        self.requests.append((method, path))
        for (replaced, prefix), response in self.responses.items():
            if method == replaced and path.startswith(prefix):
                return response
        parts = urlsplit(path).path.split("/")[2:]
        if parts == ["servers"]:
            return 200, {"servers": []}
        if parts[0] == "os-console-auth-tokens":
            return 200, {"console": self._endpoint}
        if parts[1] not in self.servers:
            return fault(404, "itemNotFound")
        if method == "GET":
            return 200, {"server": self.servers[parts[1]]}
        return self._make_console(parts[1], body["remote_console"])

    def _make_console(self, server_id: str, console: Any) -> Any:
        endpoint = self.endpoints.get(console["protocol"])
        if endpoint is None:
            return fault(400, "badRequest")
        self._endpoint = {"instance_uuid": server_id, **endpoint}
        if console["type"] != "spice-direct":
            self._endpoint.pop("tls_port", None)
        url = f"http://proxy/?token={CONSOLE_TOKEN}"
        if console["type"] == "novnc":
            url = f"http://proxy/vnc?path=%3Ftoken%3D{CONSOLE_TOKEN}"
        return 200, {"remote_console": {**console, "url": url}}


class Handler(BaseHTTPRequestHandler):
    """Handles the requests of a ``FakeNova``."""

    server: FakeNova

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        response = self.server.respond(self.command, self.path, body)
        if callable(response):
            response(self)
            return
        if self.headers["X-Auth-Token"] != TOKEN:
            response = fault(401, "unauthorized")
        if (
            self.headers["OpenStack-API-Version"]
            not in self.server.microversions
        ):
            response = fault(406, "computeFault")
        if self.headers["X-Console-API-Skip-Filter"] != "1":
            response = fault(500, "computeFault")
        status, document = response
        if not isinstance(document, bytes):
            document = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)

    do_GET = _handle  # noqa: N815
    do_POST = _handle  # noqa: N815

    def log_message(self, *args: Any) -> None:
        pass


def hang(handler: Handler) -> None:
    """Send nothing until the server stops."""
    handler.server.stopped.wait()


def disconnect(handler: Handler) -> None:
    """Close the connection without a response."""
    handler.close_connection = True


def truncate(handler: Handler) -> None:
    """Close the connection within a response."""
    _send_head(handler, 200, **{"Content-Length": "1000"})
    handler.wfile.write(b'{"server": {')
    handler.close_connection = True


def send_garbage(handler: Handler) -> None:
    """Send bytes that are not HTTP."""
    handler.wfile.write(b"\0\1\2 no HTTP\r\n\r\n")
    handler.close_connection = True


def redirect(handler: Handler) -> None:
    """Redirect the client, which must not send its token there."""
    host = handler.headers["Host"]
    _send_head(
        handler,
        302,
        **{"Content-Length": "0", "Location": f"http://{host}{REDIRECTED}"},
    )


#: The target of ``redirect``, which must not be requested.
REDIRECTED = "/redirected/servers"


def retry_after(seconds: str) -> Callable[[Handler], None]:
    """Return a response with status 503 and ``Retry-After``."""

    def response(handler: Handler) -> None:
        _send_head(
            handler, 503, **{"Content-Length": "0", "Retry-After": seconds}
        )

    return response


def send_large_body(handler: Handler) -> None:
    """Send 100 MB."""
    _send_head(handler, 200)
    for _megabyte in range(100):
        handler.wfile.write(b" " * 2**20)
    handler.close_connection = True


def send_compressed_body(handler: Handler) -> None:
    """Send 100 MB, compressed to a fraction of that size."""
    compressor = zlib.compressobj(wbits=31)
    _send_head(handler, 200, **{"Content-Encoding": "gzip"})
    for _megabyte in range(100):
        handler.wfile.write(compressor.compress(b" " * 2**20))
    handler.wfile.write(compressor.flush())
    handler.close_connection = True


def send_slowly(handler: Handler) -> None:
    """Send single bytes until the server stops."""
    _send_head(handler, 200)
    while not handler.server.stopped.wait(0.05):
        handler.wfile.write(b" ")


def send_head_slowly(handler: Handler) -> None:
    """Send bytes of a header until the server stops."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.stopped.wait(0.05):
        handler.wfile.write(b"x")


def _send_head(handler: Handler, status: int, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def fail_once(nova: FakeNova, failure: Any) -> Any:
    """Return a response that fails once, and succeeds when retried."""

    def response(handler: Any) -> None:
        nova.responses.clear()
        failure(handler)

    return response


#: Responses that are invalid for every request, by description.
INVALID_RESPONSES: dict[str, Any] = {
    "unauthorized": fault(401, "unauthorized"),
    "forbidden": fault(403, "forbidden"),
    "rate limit": fault(429, "overLimit"),
    "server error": fault(500, "computeFault"),
    "unavailable": fault(503, "serviceUnavailable"),
    "gateway error": (502, b"<html><body>Bad gateway</body></html>"),
    "web page": (200, b"<!DOCTYPE html><title>Welcome</title>"),
    "404 of a proxy": (404, b"<html>Not found</html>"),
    "multiple choices": (300, {"choices": []}),
    "404 of another API": (404, {"error": {"code": 404}}),
    "empty body": (200, b""),
    "not an object": (200, []),
    "another resource": (200, {"flavor": {}}),
    "another server": (200, {"server": {"id": UNKNOWN_SERVER}}),
    "not UTF-8": (200, b'{"server": "\xff\xfe"}'),
    "nested too deeply": (200, b"[" * 100_000),
    "NaN": (200, b"NaN"),
    "timeout": hang,
    "disconnect": disconnect,
    "truncated": truncate,
    "redirect": redirect,
    "Retry-After of an hour": retry_after("3600"),
    "negative Retry-After": retry_after("-1"),
    "100 MB": send_large_body,
    "100 MB, compressed": send_compressed_body,
    "slow": send_slowly,
    "slow header": send_head_slowly,
    "not HTTP": send_garbage,
}
