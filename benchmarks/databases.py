# SPDX-License-Identifier: Apache-2.0
"""Databases that live as long as a measurement does."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

Kind = Literal["sqlite", "mysql", "postgresql"]

#: Where databases are made when the caller names no other place.
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
    """Make empty databases, one a part, and drop them at the end.

    SQLite files are made in ``folder``.  On a database server the names are
    new each time, so that two benchmarks can run beside each other.

    :param parts: what the databases are for, in lower-case letters.
    :param admin_url: an account that may create databases.
    :returns: their SQLAlchemy URLs, in the order of ``parts``.
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
    # A stopped worker's connection may take a moment to be noticed.
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
