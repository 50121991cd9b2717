# SPDX-License-Identifier: Apache-2.0
"""A fake Keystone with the requests that keystonemiddleware sends."""

import contextlib
import datetime as dt
import http.server
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: The password of the service user.
SERVICE_PASSWORD = "password-of-the-service"

#: The address for callers without a valid token.
PUBLIC_URL = "https://keystone.example.org/identity"


def options(url: str, **more: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the options of a service that uses an identity service."""
    return {
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": {
            "www_authenticate_uri": PUBLIC_URL,
            "auth_url": url,
            "auth_type": "password",
            "username": "nova",
            "password": SERVICE_PASSWORD,
            "user_domain_id": "default",
            "project_name": "service",
            "project_domain_id": "default",
            "http_request_max_retries": "0",
        },
        **more,
    }


@dataclass(frozen=True)
class Answer:
    """A response that replaces the regular one."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class IdentityService:
    """Issues tokens without authentication, and validates them."""

    def __init__(self) -> None:
        """Start it on a free port."""
        self._tokens: dict[str, dict] = {}
        #: The password that it accepts.
        self.password = SERVICE_PASSWORD
        #: The response to every request, if set.
        self.instead: Answer | None = None
        #: While cleared, requests get no response.
        self.answers = threading.Event()
        self.answers.set()
        #: The interfaces of its endpoints in the catalog.
        self.interfaces = ("public", "internal", "admin")
        #: The requests so far: method and path.
        self.requests: list[str] = []
        self._http = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), _Handler
        )
        self._http.service = self
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def issue(
        self,
        user: str,
        project: str | None,
        *roles: str,
        seconds: int = 3600,
        scope: Mapping[str, object] | None = None,
    ) -> str:
        """Issue a token; without a project it is unscoped.

        :param scope: another scope than a project
        """
        token = f"gAAAA{uuid.uuid4().hex}"
        now = dt.datetime.now(dt.UTC)
        document = {
            "methods": ["password"],
            "user": {"id": user, "name": user, "domain": DOMAIN},
            "issued_at": _text(now),
            "expires_at": _text(now + dt.timedelta(seconds=seconds)),
            "audit_ids": [uuid.uuid4().hex],
        }
        if project is not None:
            scope = {
                "project": {"id": project, "name": "demo", "domain": DOMAIN}
            }
        if scope is not None:
            document |= {
                **scope,
                "roles": [{"id": role, "name": role} for role in roles],
                "catalog": [self._catalog_entry()],
            }
        self._tokens[token] = {"token": document}
        return token

    def revoke(self, token: str) -> None:
        """Forget a token."""
        del self._tokens[token]

    def find(self, token: str) -> dict | None:
        """Return the document of a token."""
        return self._tokens.get(token)

    def _catalog_entry(self) -> dict:
        endpoints = [
            {
                "id": interface,
                "interface": interface,
                "region": "one",
                "region_id": "one",
                "url": f"{self.url}/v3",
            }
            for interface in self.interfaces
        ]
        return {
            "id": "identity",
            "type": "identity",
            "name": "keystone",
            "endpoints": endpoints,
        }

    def stop(self) -> None:
        """Stop the server."""
        self.answers.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


#: The domain of everything.
DOMAIN = {"id": "default", "name": "Default"}


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Handler(http.server.BaseHTTPRequestHandler):
    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        service = self.server.service
        service.requests.append(f"{self.command} {self.path}")
        service.answers.wait()
        if service.instead is None:
            return True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(
            service.instead.status,
            service.instead.body,
            service.instead.headers,
        )
        return False

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/v3/auth/tokens":
            found = self.server.service.find(self.headers["X-Subject-Token"])
            self._answer(200 if found else 404, found or {})
            return
        version = {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [
                {"rel": "self", "href": f"{self.server.service.url}/v3/"}
            ],
        }
        if self.path.strip("/"):
            self._answer(200, {"version": version})
        else:
            self._answer(300, {"versions": {"values": [version]}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.service.password.encode() not in body:
            self._answer(401, {})
            return
        service = self.server.service
        token = service.issue("nova", "service", "service")
        self._answer(201, service.find(token), {"X-Subject-Token": token})

    def _answer(self, status, document, headers=None) -> None:
        body = json.dumps(document).encode()
        json_type = {"Content-Type": "application/json"}
        self._send(status, body, {**json_type, **(headers or {})})

    def _send(self, status, body, headers) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_args) -> None:
        """Log nothing."""
