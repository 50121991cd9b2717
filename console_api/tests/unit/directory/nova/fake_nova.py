# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that answers as Nova does, or as badly as it can."""

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
    """Make an answer in the form of Nova's faults."""
    return status, {key: {"code": status, "message": "It is so."}}


class FakeNova(ThreadingHTTPServer):
    """Has servers by id; ``answers`` take the place of its own.

    A key is a method and the beginning of a path, an answer is a status and
    a document or bytes, or a function that is given the request's handler.
    """

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port of the loopback address."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v2.1"
        self.servers: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.answers: dict[tuple[str, str], Any] = {}
        #: Method and path of each request.
        self.requests: list[tuple[str, str]] = []
        #: Ends the answers that never come.
        self.ended = threading.Event()
        self._asked_for: dict[str, Any] = {}
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()

    @property
    def options(self) -> dict[str, str]:
        """The options of who asks it."""
        return {
            "auth_type": "admin_token",
            "endpoint": self.url,
            "token": TOKEN,
        }

    def stop(self) -> None:
        """Stop the server."""
        self.ended.set()
        self.shutdown()
        self.server_close()

    def add_server(self, server_id: str, **values: Any) -> None:
        """Have a server, as an administrator is shown it."""
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
        """Print nothing: clients hang up on purpose."""

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Return the answer to a request."""
        self.requests.append((method, path))
        for (of_method, beginning), answer in self.answers.items():
            if method == of_method and path.startswith(beginning):
                return answer
        parts = urlsplit(path).path.split("/")[2:]
        if parts == ["servers"]:
            return 200, {"servers": []}
        if parts[0] == "os-console-auth-tokens":
            return 200, {"console": self._asked_for}
        if parts[1] not in self.servers:
            return fault(404, "itemNotFound")
        if method == "GET":
            return 200, {"server": self.servers[parts[1]]}
        return self._make_console(parts[1], body["remote_console"])

    def _make_console(self, server_id: str, wanted: Any) -> Any:
        endpoint = self.endpoints.get(wanted["protocol"])
        if endpoint is None:
            return fault(400, "badRequest")
        self._asked_for = {"instance_uuid": server_id, **endpoint}
        url = f"http://proxy/?token={CONSOLE_TOKEN}"
        if wanted["type"] == "novnc":
            url = f"http://proxy/vnc?path=%3Ftoken%3D{CONSOLE_TOKEN}"
        return 200, {"remote_console": {**wanted, "url": url}}


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of a ``FakeNova``."""

    server: FakeNova

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        answer = self.server.answer(self.command, self.path, body)
        if callable(answer):
            answer(self)
            return
        if self.headers["X-Auth-Token"] != TOKEN:
            answer = fault(401, "unauthorized")
        if self.headers["OpenStack-API-Version"] != "compute 2.31":
            answer = fault(406, "computeFault")
        if self.headers["X-Console-API-Skip-Filter"] != "1":
            answer = fault(500, "computeFault")
        status, document = answer
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
    """Answer nothing for as long as the server runs."""
    handler.server.ended.wait()


def hang_up(handler: Handler) -> None:
    """Close the connection instead of answering."""
    handler.close_connection = True


def break_off(handler: Handler) -> None:
    """Close the connection in the middle of an answer."""
    _send_head(handler, 200, **{"Content-Length": "1000"})
    handler.wfile.write(b'{"server": {')
    handler.close_connection = True


def babble(handler: Handler) -> None:
    """Answer in no protocol at all."""
    handler.wfile.write(b"\0\1\2 no HTTP\r\n\r\n")
    handler.close_connection = True


def redirect(handler: Handler) -> None:
    """Send the client, and the token with it, elsewhere."""
    host = handler.headers["Host"]
    _send_head(
        handler,
        302,
        **{"Content-Length": "0", "Location": f"http://{host}{ELSEWHERE}"},
    )


#: The target of ``redirect``, which must not be requested.
ELSEWHERE = "/elsewhere/servers"


def put_off(seconds: str) -> Callable[[Handler], None]:
    """Ask the client to wait before it comes back."""

    def answer(handler: Handler) -> None:
        _send_head(
            handler, 503, **{"Content-Length": "0", "Retry-After": seconds}
        )

    return answer


def flood(handler: Handler) -> None:
    """Send 100 MB."""
    _send_head(handler, 200)
    for _megabyte in range(100):
        handler.wfile.write(b" " * 2**20)
    handler.close_connection = True


def flood_packed(handler: Handler) -> None:
    """Send what becomes 100 MB when it is unpacked."""
    packed = zlib.compressobj(wbits=31)
    _send_head(handler, 200, **{"Content-Encoding": "gzip"})
    for _megabyte in range(100):
        handler.wfile.write(packed.compress(b" " * 2**20))
    handler.wfile.write(packed.flush())
    handler.close_connection = True


def trickle(handler: Handler) -> None:
    """Send a byte now and then, for as long as the server runs."""
    _send_head(handler, 200)
    while not handler.server.ended.wait(0.05):
        handler.wfile.write(b" ")


def _send_head(handler: Handler, status: int, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def once(nova: FakeNova, badly: Any) -> Any:
    """Answer badly once, and well from then on."""

    def answer(handler: Any) -> None:
        nova.answers.clear()
        badly(handler)

    return answer


#: What is no answer to a question, whatever the question.
NO_ANSWERS: dict[str, Any] = {
    "not let in": fault(401, "unauthorized"),
    "not allowed": fault(403, "forbidden"),
    "too many": fault(429, "overLimit"),
    "broken": fault(500, "computeFault"),
    "away": fault(503, "serviceUnavailable"),
    "proxy": (502, b"<html><body>Bad gateway</body></html>"),
    "other site": (200, b"<!DOCTYPE html><title>Welcome</title>"),
    "404 of a proxy": (404, b"<html>Not found</html>"),
    "choices": (300, {"choices": []}),
    "404 of another API": (404, {"error": {"code": 404}}),
    "nothing": (200, b""),
    "no object": (200, []),
    "other object": (200, {"flavor": {}}),
    "another server": (200, {"server": {"id": UNKNOWN_SERVER}}),
    "not UTF-8": (200, b'{"server": "\xff\xfe"}'),
    "deep": (200, b"[" * 100_000),
    "NaN": (200, b"NaN"),
    "hangs": hang,
    "hangs up": hang_up,
    "breaks off": break_off,
    "redirects": redirect,
    "asks to wait an hour": put_off("3600"),
    "asks to wait in the past": put_off("-1"),
    "100 MB": flood,
    "100 MB, packed": flood_packed,
    "never ends": trickle,
    "babbles": babble,
}
