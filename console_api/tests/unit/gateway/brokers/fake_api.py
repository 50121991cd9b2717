# SPDX-License-Identifier: Apache-2.0
"""HTTP servers that respond as the API does, or incorrectly."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

from aiohttp import web

from console_api.tests.ports import free_port

SERVER_ID = "8f1f7c52-6a0e-4a58-9d3c-3f7c2a6f1a01"
SECRET = "resume-secret-of-43-characters-0123456789ab"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def session_document(**values: object) -> dict[str, Any]:
    """Return a session as the API describes it to a gateway."""
    return {
        "id": str(uuid.uuid4()),
        "secret": SECRET,
        "server_id": SERVER_ID,
        "project_id": "a-project",
        "user_id": "a-user",
        "console_type": "novnc",
        "protocol": "vnc",
        "compute_host": "compute-1",
        "host": "192.0.2.1",
        "port": 5900,
        "tls_port": None,
        "internal_access_path": None,
        "view_only": False,
        "exclusive": False,
        "max_duration": 3600,
        "idle_timeout": 600,
        "resume_timeout": 120,
        **values,
    }


def fault(
    status: int, reason: str, message: str = "Refused.", **headers: str
) -> Handler:
    """Return a response in the form of the API's faults."""

    async def respond(_request: web.Request) -> web.StreamResponse:
        inner = {"code": status, "message": message, "reason": reason}
        return web.json_response(
            {"fault": inner}, status=status, headers=headers
        )

    return respond


class FakeServer:
    """An HTTP server; ``responses`` by method replace its own.

    A response is used once if it is in a list.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.tokens: list[str | None] = []
        self.responses: dict[str, Handler | list[Handler]] = {}
        self.released = asyncio.Event()
        self._runner: web.AppRunner | None = None
        # No outgoing connection takes it while the server is stopped.
        self._port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v2.1"

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, *args: Any) -> AsyncIterator[Self]:
        server = cls(*args)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()

    async def start(self) -> None:
        """Listen, on the same port as before."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            application, shutdown_timeout=0, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self._port, reuse_address=True
        )
        await site.start()

    async def stop(self) -> None:
        self.released.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text) if text else None
        self.requests.append((request.method, request.path, body))
        self.tokens.append(request.headers.get("X-Auth-Token"))
        response = self.responses.get(request.method)
        if isinstance(response, list):
            response = response.pop(0) if response else None
        if response is not None:
            return await response(request)
        return await self.respond(request, body)

    async def respond(
        self, request: web.Request, body: Any
    ) -> web.StreamResponse:
        raise NotImplementedError


class FakeApi(FakeServer):
    """An API that opens every session."""

    def __init__(self) -> None:
        super().__init__()
        self.beats: list[Any] = []
        self.ended: list[Any] = []
        self.cut: list[dict[str, str]] = []
        self.report_all = False
        self.session: dict[str, object] = {}

    async def respond(
        self, request: web.Request, body: Any
    ) -> web.StreamResponse:
        if request.path.endswith("/os-console-sessions"):
            document = session_document(**self.session)
            if "secret" in body["session"]:
                del document["secret"]
            return web.json_response({"session": document}, status=201)
        if request.path.endswith("/close"):
            self.ended += body["sessions"]
            return web.Response(status=204)
        self.beats.append(body["gateway"])
        answer = {"report_all": self.report_all, "cut": self.cut}
        self.report_all = False
        return web.json_response({"gateway": answer})


async def _html(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>", content_type="text/html", status=201)


async def _empty_object(_request: web.Request) -> web.StreamResponse:
    return web.json_response({}, status=201)


async def _list(_request: web.Request) -> web.StreamResponse:
    return web.json_response([], status=201)


async def _deep(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="[" * 100_000, status=201)


async def _huge(_request: web.Request) -> web.StreamResponse:
    return web.Response(text=" " * 5_000_000, status=201)


async def _error(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="oops", status=500)


async def _disconnect(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def _truncate(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=201, headers={"Content-Length": "9"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response


async def _garbage(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"\0\1\2 no HTTP\r\n\r\n")
    request.transport.close()
    return web.Response()


async def redirect(request: web.Request) -> web.StreamResponse:
    """Redirect the client, which must not follow."""
    return web.Response(
        status=307, headers={"Location": f"http://{request.host}/elsewhere"}
    )


def _without(name: str) -> Handler:
    async def respond(_request: web.Request) -> web.StreamResponse:
        document = session_document()
        del document[name]
        return web.json_response({"session": document}, status=201)

    return respond


def _with(**values: object) -> Handler:
    async def respond(_request: web.Request) -> web.StreamResponse:
        document = session_document(**values)
        return web.json_response({"session": document}, status=201)

    return respond


#: Invalid responses to a request for a session, by description.
INVALID_RESPONSES: dict[str, Handler] = {
    "web page": _html,
    "no session": _empty_object,
    "list": _list,
    "nested too deeply": _deep,
    "too long": _huge,
    "server error": _error,
    "disconnect": _disconnect,
    "truncated": _truncate,
    "not HTTP": _garbage,
    "redirect": redirect,
    "policy": fault(403, "", "Policy doesn't allow it to be performed."),
    "unknown reason": fault(409, "who_knows"),
    "reason with another status": fault(500, "token_used"),
    "unavailable": fault(503, ""),
    "no port": _without("port"),
    "no view_only": _without("view_only"),
    "no secret": _without("secret"),
    "ID is no UUID": _with(id="../../1"),
    "port out of range": _with(port=70000),
    "port is a string": _with(port="5900"),
    "host with a path": _with(host="192.0.2.1/x"),
    "host is null": _with(host=None),
    "view_only is a string": _with(view_only="false"),
    "secret with a line break": _with(secret="0123456789abcdef\r\nX: y"),
    "negative duration": _with(max_duration=-1),
    "huge duration": _with(max_duration=10**30),
}


#: Ports of the display of a server, by console type.
PORTS = {"novnc": 5900, "serial": 10000, "spice-html5": 5910}


class FakeNova(FakeServer):
    """A Nova with one server, ``SERVER_ID``; ``displays`` are by token."""

    def __init__(self) -> None:
        super().__init__()
        self.ports = dict(PORTS)
        self.displays: dict[str, dict[str, object]] = {}
        self.server: dict[str, object] | None = {
            "id": SERVER_ID,
            "tenant_id": "a-project",
            "OS-EXT-SRV-ATTR:host": "compute-1",
            "OS-EXT-STS:power_state": 1,
        }

    def issue(self, console_type: str) -> str:
        """Return a token for a display of the server."""
        token = str(uuid.uuid4())
        self.displays[token] = {
            "instance_uuid": SERVER_ID,
            "host": "192.0.2.1",
            "port": self.ports[console_type],
            "internal_access_path": None,
        }
        return token

    async def respond(
        self, request: web.Request, body: Any
    ) -> web.StreamResponse:
        *_, resource, name = request.path.split("/")
        if resource == "os-console-auth-tokens" and name in self.displays:
            return web.json_response({"console": self.displays[name]})
        if resource == "servers" and self.server is not None:
            return web.json_response({"server": self.server})
        if name == "remote-consoles" and self.server is not None:
            wanted = body["remote_console"]
            if wanted["type"] not in self.ports:
                return web.json_response(
                    {"badRequest": {"code": 400}}, status=400
                )
            token = self.issue(wanted["type"])
            url = f"http://proxy/vnc_auto.html?path=%3Ftoken%3D{token}"
            return web.json_response(
                {"remote_console": {**wanted, "url": url}}
            )
        return web.json_response({"itemNotFound": {"code": 404}}, status=404)
