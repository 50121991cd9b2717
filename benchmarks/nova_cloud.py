# SPDX-License-Identifier: Apache-2.0
"""Configuration and databases of a Nova with one cell and one server.

The pipeline is Nova's own without ``authtoken``: the identity comes from
``X-User-Id``, ``X-Project-Id`` and ``X-Roles``, and no Keystone is needed.
All settings are Nova's defaults, including its log line for each request.

Only the look-up of a console auth token works.  The server exists as the rows
that name it, without flavor and image, so ``GET /servers/{id}`` fails.  ``POST
/servers/{id}/remote-consoles`` cannot work: it calls a compute service over a
message bus, and neither exists (``transport_url = fake:/``), so it would block
a thread for a minute and fail.  Tokens are therefore inserted as rows.
"""

import hashlib
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from benchmarks import databases, programs

_PROJECT_ID = "b3e4c1d6f0a94e0f8f6a0f4f7f6c2a11"
_USER_ID = "0a6e5f3ef61c4f3c9d2f6f1f6d0c7b22"
_CALLER = {
    "X-User-Id": _USER_ID,
    "X-Project-Id": _PROJECT_ID,
    "OpenStack-API-Version": "compute 2.31",
}
#: The headers of a caller who may look tokens up.
ADMIN: Mapping[str, str] = _CALLER | {"X-Roles": "admin"}
#: The headers of a caller who may not.
READER: Mapping[str, str] = _CALLER | {"X-Roles": "reader"}

#: Native threads, which also avoids a warning about Eventlet.
VARIABLES = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}

_DAY = 86_400


@dataclass(frozen=True)
class Databases:
    """The SQLAlchemy URLs of Nova's three databases."""

    api: str
    cell0: str
    cell: str


@dataclass(frozen=True)
class Cloud:
    """A Nova with databases, one cell, one server and tokens for it.

    ``valid_token`` can be looked up for a day, ``expired_token`` has expired,
    ``unknown_token`` was never issued.
    """

    venv: Path
    folder: Path
    databases: Databases
    server_id: str
    valid_token: str
    expired_token: str
    unknown_token: str


def path(token: str) -> str:
    """Return the path that looks a token up."""
    return f"/v2.1/os-console-auth-tokens/{token}"


@contextmanager
def create(
    venv: Path,
    folder: Path,
    kind: databases.Kind,
    admin_url: str | None = None,
) -> Iterator[Cloud]:
    """Create a Nova and its databases; drop the databases at the end.

    :param folder: for configuration, locks and log; left to the caller
    :param admin_url: an account that may create databases
    :raises ProgramFailed: one of Nova's own commands failed
    """
    parts = ("nova_api", "nova_cell0", "nova_cell")
    with databases.temporary(kind, folder, parts, admin_url) as urls:
        yield _prepare(venv, folder, Databases(*urls))


def _prepare(venv: Path, folder: Path, urls: Databases) -> Cloud:
    """Configure Nova in a folder and fill its empty databases."""
    folder.mkdir(parents=True, exist_ok=True)
    # Gunicorn runs in another working directory.
    venv, folder = venv.absolute(), folder.absolute()
    _write_configuration(venv, folder, urls)
    manage = [str(venv / "bin" / "nova-manage")]
    manage += ["--config-file", str(folder / "nova.conf")]
    for command in (
        ["api_db", "sync"],
        ["cell_v2", "map_cell0", "--database_connection", urls.cell0],
        ["db", "sync"],
        ["cell_v2", "create_cell", "--name", "cell1"],
    ):
        programs.run([*manage, *command], variables=VARIABLES)
    server_id = _add_server(urls)
    return Cloud(
        venv=venv,
        folder=folder,
        databases=urls,
        server_id=server_id,
        valid_token=issue_tokens(urls, server_id, _DAY)[0],
        expired_token=issue_tokens(urls, server_id, -_DAY)[0],
        unknown_token=str(uuid.uuid4()),
    )


def _write_configuration(venv: Path, folder: Path, urls: Databases) -> None:
    # oslo.config would substitute a single dollar sign.
    api, cell = (u.replace("$", "$$") for u in (urls.api, urls.cell))
    (folder / "nova.conf").write_text(
        "[DEFAULT]\n"
        "host = benchmark\n"
        f"state_path = {folder}\n"
        "transport_url = fake:/\n"
        f"[api_database]\nconnection = {api}\n"
        f"[database]\nconnection = {cell}\n"
        f"[oslo_concurrency]\nlock_path = {folder}\n"
    )
    shipped = venv / "etc" / "nova" / "api-paste.ini"
    try:
        text = shipped.read_text()
    except OSError as error:
        message = f"This Nova has no api-paste.ini: {error}."
        raise programs.ProgramFailed(message) from error
    (folder / "api-paste.ini").write_text(text.replace(" authtoken ", " "))


def _add_server(urls: Databases) -> str:
    """Insert a server into the cell, and its mapping into the API's tables."""
    server_id = str(uuid.uuid4())
    owner = {"project_id": _PROJECT_ID, "user_id": _USER_ID}
    server = owner | {
        "uuid": server_id,
        "deleted": 0,
        "hidden": False,
        "host": "compute1",
        "hostname": "server1",
        "display_name": "server1",
        "vm_state": "active",
        "power_state": 1,
    }
    _insert(urls.cell, "instances", [server])
    mapping = owner | {
        "instance_uuid": server_id,
        "cell_id": _cell_id(urls),
        "queued_for_delete": False,
    }
    _insert(urls.api, "instance_mappings", [mapping])
    return server_id


def _cell_id(urls: Databases) -> int:
    engine = sa.create_engine(urls.api)
    query = sa.text("SELECT id FROM cell_mappings WHERE name = 'cell1'")
    try:
        with engine.connect() as connection:
            return int(connection.execute(query).scalar_one())
    finally:
        engine.dispose()


def _insert(url: str, table_name: str, rows: list[dict[str, object]]) -> None:
    engine = sa.create_engine(url)
    now = datetime.now(UTC).replace(tzinfo=None)
    try:
        with engine.begin() as connection:
            table = sa.Table(table_name, sa.MetaData(), autoload_with=engine)
            full = [{"created_at": now, **row} for row in rows]
            connection.execute(sa.insert(table), full)
    finally:
        engine.dispose()


def issue_tokens(
    urls: Databases, server_id: str, lifetime: int, count: int = 1
) -> list[str]:
    """Insert console auth tokens into Nova's cell database.

    :param lifetime: seconds from now; negative for expired tokens
    :returns: the tokens; the database has only their SHA-256
    """
    tokens = [str(uuid.uuid4()) for _ in range(count)]
    expires = int(time.time()) + lifetime
    rows: list[dict[str, object]] = [
        {
            "token_hash": hashlib.sha256(token.encode()).hexdigest(),
            "console_type": "novnc",
            "host": "192.0.2.10",
            "port": 5900,
            "instance_uuid": server_id,
            "expires": expires,
            "access_url_base": "http://192.0.2.20:6080/vnc_auto.html",
        }
        for token in tokens
    ]
    _insert(urls.cell, "console_auth_tokens", rows)
    return tokens
