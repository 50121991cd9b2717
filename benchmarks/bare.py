# SPDX-License-Identifier: Apache-2.0
"""The upper limit: a bare WSGI application that runs the same statements.

It has no framework, no identity, no policy, no validation, no log and no
encryption.  It runs the statements of ``console_api.db`` through SQLAlchemy
Core, with engines that are as fast as possible:

- reads use autocommit, without a ping before or a reset after them;
- writes use one transaction and return the connection without a rollback.

The difference between the two is the cost of console_api itself.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks import gunicorn_settings
from console_api.db import (
    console_changes,
    console_counts,
    console_ports,
    tables,
)
from console_api.db.console_auth_tokens import LOOK_UP
from console_api.db.console_hosts import _LIST as _LIST_HOSTS
from console_api.db.consoles import _GET, _LIST, _PLACED
from console_api.db.servers import _GET as _GET_SERVER

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    Result = tuple[str, object]

_OK = "200 OK"
_LIMIT = 1000
_TTL = 600

_consoles = tables.consoles.c
_WHERE = (
    _consoles.server_id == sa.bindparam("server_id"),
    _consoles.id == sa.bindparam("console_id"),
)
_HOST_OF = sa.select(_consoles.console_host_id).where(*_WHERE)
_DELETE = tables.consoles.delete().where(
    *_WHERE, _consoles.console_host_id == sa.bindparam("host_id")
)
_INSERT = tables.consoles.insert()
_INSERT_TOKEN = tables.console_auth_tokens.insert()

_url = sa.make_url(os.environ[gunicorn_settings.DATABASE_URL])
if _url.get_backend_name() == "sqlite":
    # As in console_api, a writer waits for the previous one.
    _url = _url.update_query_dict({"timeout": "60"})
_reader = sa.create_engine(
    _url,
    isolation_level="AUTOCOMMIT",
    pool_reset_on_return=None,
    skip_autocommit_rollback=True,
)
_writer = sa.create_engine(_url, pool_reset_on_return=None)


def _read(statement: sa.Select[Any], **values: Any) -> Any:
    with _reader.connect() as connection:
        return connection.execute(statement, values).all()


def _look_up(token: str) -> "Result":
    token_hash = hashlib.sha256(token.encode("latin-1")).hexdigest()
    rows = _read(LOOK_UP, token_hash=token_hash, now=int(time.time()))
    if not rows:
        return "404 Not Found", {}
    row = rows[0]
    console = {
        "instance_uuid": row.server_id,
        "host": row.host,
        "port": row.port,
        "internal_access_path": row.internal_access_path,
    }
    return _OK, {"console": console}


def _create_token(server_id: str) -> "Result":
    server = _read(_GET_SERVER, uuid=server_id)[0]
    token = secrets.token_urlsafe(32)
    with _writer.begin() as connection:
        connection.execute(
            _INSERT_TOKEN,
            {
                "token_hash": hashlib.sha256(token.encode()).hexdigest(),
                "server_id": server_id,
                "console_type": "novnc",
                "host": server.host,
                "port": server.port,
                "tls_port": server.tls_port,
                "internal_access_path": server.internal_access_path,
                "user_id": "bare",
                "expires_at": int(time.time()) + _TTL,
            },
        )
    console = {"protocol": "vnc", "type": "novnc", "url": token}
    return _OK, {"remote_console": console}


def _list(server_id: str) -> "Result":
    _read(_GET_SERVER, uuid=server_id)
    rows = _read(_LIST, server_id=server_id, marker=0, limit=_LIMIT)
    consoles = [
        {"console": {"id": row.id, "console_type": row.console_type}}
        for row in rows
    ]
    return _OK, {"consoles": consoles}


def _show(server_id: str, console_id: int) -> "Result":
    _read(_GET_SERVER, uuid=server_id)
    row = _read(_GET, server_id=server_id, id=console_id)[0]
    console = {
        "id": row.id,
        "console_type": row.console_type,
        "password": row.encrypted_password,
        "instance_name": row.instance_name,
        "port": row.port,
        "host": row.public_hostname,
    }
    return _OK, {"console": console}


def _create(server_id: str) -> "Result":
    server = _read(_GET_SERVER, uuid=server_id)[0]
    _read(_PLACED, server_id=server_id)
    host = _read(_LIST_HOSTS)[0]
    with _writer.begin() as connection:
        console_counts.add_console(connection, host)
        inserted = connection.execute(
            _INSERT,
            {
                "server_id": server_id,
                "instance_name": server.instance_name,
                "encrypted_password": "x" * 100,
                "created_at": int(time.time()),
                "console_host_id": host.id,
                "console_type": host.console_type,
                "port": console_ports.find_free(connection, host),
            },
        )
        console_id: int = inserted.inserted_primary_key[0]  # type: ignore[index]
        console_changes.record(connection, host.id, console_id)
    return _OK, None


def _delete(server_id: str, console_id: int) -> "Result":
    _read(_GET_SERVER, uuid=server_id)
    which = {"server_id": server_id, "console_id": console_id}
    host_id = _read(_HOST_OF, **which)[0].console_host_id
    with _writer.begin() as connection:
        console_counts.remove_console(connection, host_id)
        connection.execute(_DELETE, which | {"host_id": host_id})
        console_changes.record(connection, host_id, console_id)
    return "202 Accepted", None


_ROUTES: dict[tuple[str, str, int], Callable[..., "Result"]] = {
    ("GET", "consoles", 0): _list,
    ("POST", "consoles", 0): _create,
    ("GET", "consoles", 1): _show,
    ("DELETE", "consoles", 1): _delete,
    ("POST", "remote-consoles", 0): _create_token,
}


def application(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Handle one WSGI request."""
    _, _, resource, name, *rest = environ["PATH_INFO"].split("/")
    if resource == "servers":
        action = _ROUTES[environ["REQUEST_METHOD"], rest[0], len(rest) - 1]
        status, document = action(name, *map(int, rest[1:]))
    else:
        status, document = _look_up(name)
    body = b"" if document is None else json.dumps(document).encode()
    headers = [("Content-Length", str(len(body)))]
    if body:
        headers.append(("Content-Type", "application/json"))
    start_response(status, headers)
    return [body]
