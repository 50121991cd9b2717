# SPDX-License-Identifier: Apache-2.0
"""An HTTP client that sends requests exactly as a test specifies them.

It checks every response for what all have in common: no unexpected error, two
equal request IDs, faults of the same form.
"""

import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console_api.tests.functional.servers import Server

#: The key of a fault, by status; others have computeFault.
FAULT_KEYS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

REQUEST_ID = re.compile(
    r"req-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The document in the body."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The message of a fault, after checking its form."""
        key = FAULT_KEYS.get(self.status, "computeFault")
        document = self.json
        assert list(document) == [key], f"{self.status}: {document}"
        fault = document[key]
        assert sorted(fault) == ["code", "message"], document
        assert fault["code"] == self.status, document
        assert isinstance(fault["message"], str), document
        assert fault["message"], document
        return fault["message"]

    @property
    def request_id(self) -> str:
        """The request ID."""
        return self.headers["x-openstack-request-id"]


@dataclass(frozen=True)
class Client:
    """A client of a server: its identity, and the API that it uses.

    ``roles``, separated by commas, override those of the user; ``version`` is
    the microversion of all requests; ``tls`` enables TLS and has the trusted
    certificates.
    """

    server: "Server"
    user: str | None = None
    project: str = ""
    roles: str | None = None
    prefix: str = "/v2.1"
    version: str | None = None
    host: str = "127.0.0.1"
    timeout: float = 60
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None

    def get(self, path: str, **kwargs) -> Reply:
        """Send a GET request."""
        return self.request("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs) -> Reply:
        """Send a POST request, optionally with a document."""
        return self.request("POST", path, body=body, **kwargs)

    def put(self, path: str, body: Any = None, **kwargs) -> Reply:
        """Send a PUT request, optionally with a document."""
        return self.request("PUT", path, body=body, **kwargs)

    def delete(self, path: str, **kwargs) -> Reply:
        """Send a DELETE request."""
        return self.request("DELETE", path, **kwargs)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
        version: str | None = None,
        prefix: str | None = None,
    ) -> Reply:
        """Send a request and check the response.

        :param body: bytes are sent unchanged, an iterator of bytes is sent
            chunked, anything else as a JSON document
        :param headers: None removes a header that is sent by default
        """
        sent = self._headers(version)
        if isinstance(body, Iterable) and not isinstance(
            body, dict | list | str | bytes
        ):
            sent["Transfer-Encoding"] = "chunked"
        elif body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        connection = self._connection()
        try:
            connection.request(
                method,
                (self.prefix if prefix is None else prefix) + path,
                body=body,
                headers={
                    name: value
                    for name, value in sent.items()
                    if value is not None
                },
                encode_chunked="Transfer-Encoding" in sent,
            )
            return self._read(connection.getresponse())
        finally:
            connection.close()

    def raw(
        self, data: bytes, method: str = "GET", *, close: bool = False
    ) -> Reply:
        """Send bytes and read the response.

        :param method: the method of the request; a response to HEAD has no
            body
        :param close: close the connection for writing
        """
        with socket.create_connection(
            (self.host, self.server.port), timeout=self.timeout
        ) as connection:
            connection.sendall(data)
            if close:
                connection.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            return self._read(response)

    def _connection(self) -> http.client.HTTPConnection:
        where = (self.host, self.server.port)
        if self.tls is None:
            return http.client.HTTPConnection(*where, timeout=self.timeout)
        return http.client.HTTPSConnection(
            *where, timeout=self.timeout, context=self.tls
        )

    def _headers(self, version: str | None) -> dict[str, str | None]:
        sent: dict[str, str | None] = {}
        if self.user is not None:
            sent["X-Auth-Token"] = f"{self.user}:{self.project}"
        if self.roles is not None:
            sent["X-Roles"] = self.roles
        version = version or self.version
        if version:
            sent["OpenStack-API-Version"] = f"compute {version}"
        sent.update(self.headers)
        return sent

    def _read(self, response: http.client.HTTPResponse) -> Reply:
        reply = Reply(response.status, response.msg, response.read())
        ids = [
            *reply.headers.get_all("x-openstack-request-id", []),
            *reply.headers.get_all("x-compute-request-id", []),
        ]
        assert len(ids) == 2, reply
        assert ids[0] == ids[1], ids
        assert REQUEST_ID.fullmatch(ids[0]), ids
        if reply.status == 500:
            raise AssertionError(
                "\n".join(["An unexpected error:", *self._log_lines(ids[0])])
            )
        return reply

    def _log_lines(self, request_id: str) -> list[str]:
        lines = self.server.log.splitlines()
        return [line for line in lines if request_id in line]
