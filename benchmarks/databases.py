# SPDX-License-Identifier: Apache-2.0
"""Databases that exist for the duration of a measurement."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

Kind = Literal["sqlite", "mysql", "postgresql"]

#: Where databases are created by default.
ADMIN_URLS: Mapping[Kind, str] = {
    "mysql": "mysql+pymysql://root@127.0.0.1:3306/mysql",
    "postgresql": "postgresql+psycopg2://postgres@127.0.0.1:5432/postgres",
}


@contextmanager
def temporary(
    kind: Kind,
    folder: Path,
    parts: Sequence[str],
    admin_url: str | None = None,
) -> Iterator[list[str]]:
    """Create empty databases, one for each part, and drop them at the end.

    SQLite files are created in ``folder``.  On a database server the names
    are unique, so that benchmarks can run concurrently.

    :param parts: suffixes of the names, in lowercase letters
    :param admin_url: an account that may create databases
    :returns: their SQLAlchemy URLs, in the order of ``parts``
    """
    base = f"bench_{secrets.token_hex(4)}"
    names = [f"{base}_{part}" for part in parts]
    if kind == "sqlite":
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder.absolute() / f"{name}.sqlite" for name in names]
        try:
            yield [f"sqlite:///{path}" for path in files]
        finally:
            for path in folder.glob(f"{base}_*"):
                path.unlink()
        return
    admin = sa.make_url(admin_url or ADMIN_URLS[kind])
    # Connections of stopped workers may take a moment to disappear.
    force = " WITH (FORCE)" if kind == "postgresql" else ""
    _execute(admin, [f"CREATE DATABASE {name}" for name in names])
    try:
        urls = [admin.set(database=name) for name in names]
        yield [url.render_as_string(hide_password=False) for url in urls]
    finally:
        drop = [f"DROP DATABASE IF EXISTS {name}{force}" for name in names]
        _execute(admin, drop)


def _execute(url: sa.URL, statements: Sequence[str]) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
    finally:
        engine.dispose()
