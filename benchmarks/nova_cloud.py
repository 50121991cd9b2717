# SPDX-License-Identifier: Apache-2.0
"""A real Nova API to measure beside console_api.

Nova comes from PyPI into an environment of its own, gets databases of its
own and runs behind Gunicorn, as console_api does in the same benchmark::

    nova.install(venv)                    # NovaUnavailable: leave Nova out
    with nova.cloud(venv, folder, "mysql") as cloud:
        with nova.NovaServer(cloud, port=8774, workers=1, threads=4) as api:
            api.url(nova.path(cloud.valid_token))   # 200 to nova.ADMIN

It is Nova's own pipeline less ``authtoken``, so that the identity comes from
``X-User-Id``, ``X-Project-Id`` and ``X-Roles`` and no Keystone is needed.
Nova's settings are its defaults, its one line of log a request included.

What works is the look-up of a console auth token.  Its server is there as rows
that name it, without flavor and image, so ``GET /servers/{id}`` fails.  ``POST
/servers/{id}/remote-consoles`` cannot work: it calls a compute service over a
message bus and there is neither (``transport_url = fake:/``), so it holds a
thread for a minute and fails.  Tokens are therefore written as rows.
"""

import argparse
import hashlib
import importlib.metadata
import json
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import sqlalchemy as sa

from benchmarks import databases, programs

_PROJECT_ID = "b3e4c1d6f0a94e0f8f6a0f4f7f6c2a11"
_USER_ID = "0a6e5f3ef61c4f3c9d2f6f1f6d0c7b22"
_CALLER = {
    "X-User-Id": _USER_ID,
    "X-Project-Id": _PROJECT_ID,
    "OpenStack-API-Version": "compute 2.31",
}
#: The headers of a caller who may ask what a token stands for.
ADMIN: Mapping[str, str] = _CALLER | {"X-Roles": "admin"}
#: The headers of a caller who may not.
READER: Mapping[str, str] = _CALLER | {"X-Roles": "reader"}

#: What the measured operations answer.
STATUSES = {"hit": 200, "miss": 404, "expired": 404, "forbidden": 403}

#: The first version that runs its API on native threads, as Gunicorn does.
_NOVA = "nova>=33.0.0"
_SAME_AS_HERE = ("gunicorn", "PyMySQL", "psycopg2-binary")
_STAMP = "installed-by-benchmark"
_INSTALL_SECONDS = 1800.0

#: Native threads for its commands too: spares a warning about Eventlet.
_VARIABLES = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}

_DAY = 86_400


class NovaUnavailable(programs.BenchmarkError):
    """Nova is not to be had on this machine; the text says why."""


@dataclass(frozen=True)
class Databases:
    """The SQLAlchemy URLs of Nova's three databases."""

    api: str
    cell0: str
    cell: str


@dataclass(frozen=True)
class Cloud:
    """A Nova with databases, one cell, one server and tokens for it.

    ``valid_token`` can be looked up for a day, ``expired_token`` is past its
    expiry, ``unknown_token`` was never issued.
    """

    venv: Path
    folder: Path
    databases: Databases
    server_id: str
    valid_token: str
    expired_token: str
    unknown_token: str


def install(venv: Path) -> None:
    """Install Nova and its WSGI server into ``venv``, once.

    Gunicorn and the database drivers get the versions of the environment that
    calls, so that they are no part of what differs.  A second call does
    nothing while Python and those versions are the same; delete the folder to
    get a newer Nova.

    :raises NovaUnavailable: when the packages cannot be installed.
    """
    packages = [_NOVA, *map(_same_version, _SAME_AS_HERE)]
    wanted = "\n".join([sys.version, *packages])
    stamp = venv / _STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    make = [sys.executable, "-m", "venv", str(venv)]
    if (venv / "pyvenv.cfg").exists():
        make.insert(3, "--clear")
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    try:
        programs.run(make)
        programs.run([*pip, *packages], _INSTALL_SECONDS)
    except programs.ProgramFailed as error:
        message = f"Nova cannot be installed: {error}"
        raise NovaUnavailable(message) from error
    stamp.write_text(wanted)


def _same_version(package: str) -> str:
    try:
        return f"{package}=={importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return package


def versions(venv: Path) -> dict[str, str]:
    """Return the installed packages' versions by lower-case name."""
    python = str(venv / "bin" / "python")
    listed = programs.run([python, "-m", "pip", "list", "--format=json"])
    return {row["name"].lower(): row["version"] for row in json.loads(listed)}


@contextmanager
def cloud(
    venv: Path,
    folder: Path,
    kind: databases.Kind,
    admin_url: str | None = None,
) -> Iterator[Cloud]:
    """Make databases and a Nova on them; drop the databases at the end.

    ``folder`` holds Nova's configuration, locks and log and is the caller's
    to delete.  ``admin_url`` is an account that may create databases.

    :raises ProgramFailed: when one of Nova's own commands does not work.
    """
    parts = ("nova_api", "nova_cell0", "nova_cell")
    with databases.temporary(kind, folder, parts, admin_url) as urls:
        yield prepare(venv, folder, Databases(*urls))


def prepare(venv: Path, folder: Path, urls: Databases) -> Cloud:
    """Configure Nova in ``folder`` and fill its empty databases.

    :raises ProgramFailed: when one of Nova's own commands does not work.
    """
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
        programs.run([*manage, *command], variables=_VARIABLES)
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
    # oslo.config would take a dollar sign for a reference.
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
        message = f"This Nova ships no api-paste.ini: {error}."
        raise programs.ProgramFailed(message) from error
    (folder / "api-paste.ini").write_text(text.replace(" authtoken ", " "))


def _add_server(urls: Databases) -> str:
    """Give the cell one server, and the API its mapping to that cell."""
    server_id = str(uuid.uuid4())
    whose = {"project_id": _PROJECT_ID, "user_id": _USER_ID}
    server = whose | {
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
    mapping = whose | {
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
    """Write console auth tokens into Nova's cell database.

    :param lifetime: seconds from now; negative for expired tokens.
    :returns: the tokens; the database has their SHA-256 only.
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


def path(token: str) -> str:
    """Return the path that looks a token up."""
    return f"/v2.1/os-console-auth-tokens/{token}"


class NovaServer(programs.GunicornServer):
    """Nova's API behind Gunicorn, for as long as the ``with`` block runs."""

    def __init__(
        self, cloud: Cloud, *, port: int, workers: int = 1, threads: int = 4
    ) -> None:
        """Remember what to start; nothing runs before ``with``."""
        super().__init__(
            "nova.wsgi.osapi_compute:application",
            python=cloud.venv / "bin" / "python",
            folder=cloud.folder,
            port=port,
            workers=workers,
            threads=threads,
            variables=_VARIABLES | {"OS_NOVA_CONFIG_DIR": str(cloud.folder)},
        )
        self.cloud = cloud

    def statuses(self) -> dict[str, int]:
        """Return what each measured operation answers, by its name."""
        valid = path(self.cloud.valid_token)
        return {
            "hit": self.status(valid, ADMIN),
            "miss": self.status(path(self.cloud.unknown_token), ADMIN),
            "expired": self.status(path(self.cloud.expired_token), ADMIN),
            "forbidden": self.status(valid, READER),
        }

    def check(self) -> None:
        """Raise ``ProgramFailed`` when an operation answers wrongly."""
        answers = self.statuses()
        if answers != STATUSES:
            raise self.failure(f"answers {answers}")


def main() -> None:
    """Show that a Nova of one's own works on a database, and where."""
    parser = argparse.ArgumentParser(description="Try Nova's API out.")
    kinds = get_args(databases.Kind)
    parser.add_argument("--database", choices=kinds, required=True)
    parser.add_argument("--database-url", help="an account that may create")
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8774)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--stay", action="store_true", help="until Enter")
    try:
        _show(parser.parse_args())
    except (programs.BenchmarkError, KeyboardInterrupt) as error:
        sys.exit(str(error))


def _show(args: argparse.Namespace) -> None:
    install(args.venv)
    with (
        tempfile.TemporaryDirectory() as name,
        cloud(args.venv, Path(name), args.database, args.database_url) as made,
        NovaServer(
            made, port=args.port, workers=args.workers, threads=args.threads
        ) as server,
    ):
        print(f"nova {versions(args.venv)['nova']} on {args.database}")
        for operation, status in server.statuses().items():
            print(f"{operation:10} {status}")
        if args.stay:
            for header, value in ADMIN.items():
                print(f"{header}: {value}")
            input(f"{server.url(path(made.valid_token))}\nEnter stops it. ")


if __name__ == "__main__":
    main()
