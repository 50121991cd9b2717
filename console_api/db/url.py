# SPDX-License-Identifier: Apache-2.0
"""URLs of databases, with the time limits of connections."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from oslo_config import cfg
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import URL, make_url

from console_api import errors

# Seconds that a connection may take to be made, and a statement to end.
CONNECT_TIMEOUT = 10
STATEMENT_TIMEOUT = 30

# Parameters of the encoding.  Others do not have all characters, but guides
# recommend them, and environment variables may set them.
_ENCODINGS = {
    "mysql": {"charset": "utf8mb4"},
    "postgresql": {"client_encoding": "utf8"},
}

_ESCAPE = (
    "Percent-encode special characters of the password, such as @ as %40, / "
    "as %2F and % as %25, and write $ as $$."
)

_IN_MEMORY = (None, "", ":memory:")


def database_url(
    conf: cfg.ConfigOpts,
    connect_timeout: int = CONNECT_TIMEOUT,
    statement_timeout: int = STATEMENT_TIMEOUT,
) -> URL:
    """Return the database's URL, with time limits where it has none.

    :param connect_timeout: in seconds
    :param statement_timeout: in seconds, including waits for locks
    :raises ConfigurationError: it is missing or malformed
    """
    text = conf.database.connection
    if not text:
        raise errors.ConfigurationError(
            "[database] connection is not set. Give the URL of the database, "
            "for example sqlite:////var/lib/console_api/console_api.sqlite "
            "or mysql+pymysql://USER:PASSWORD@HOST/console_api"
        )
    try:
        url = make_url(text)
        url.get_dialect()
    except (
        sa_exc.ArgumentError,
        sa_exc.NoSuchModuleError,
        ValueError,
    ):
        # The text of the error may hold the URL, and so the password.
        raise errors.ConfigurationError(
            "[database] connection is not a database URL, or of a database "
            "that SQLAlchemy has no dialect for. Write it like "
            f"mysql+pymysql://USER:PASSWORD@HOST/console_api. {_ESCAPE}"
        ) from None
    if url.host is not None and "@" in f"{url.host}{url.database}":
        # They contain a part of the password, which errors would show.
        raise errors.ConfigurationError(
            "[database] connection contains more than one @, so that a part "
            f"of the password would be taken for the host. {_ESCAPE}"
        )
    if url.get_backend_name() == "sqlite" and url.database in _IN_MEMORY:
        raise errors.ConfigurationError(
            "[database] connection: an SQLite database has to be in a file, "
            "since each connection would have one of its own in memory."
        )
    limits = _time_limits(
        url.get_backend_name(), connect_timeout, statement_timeout
    )
    url = url.update_query_dict(
        {key: limits[key] for key in limits.keys() - url.query.keys()}
    )
    encoding = _ENCODINGS.get(url.get_backend_name(), {})
    return url.update_query_dict(encoding)


def _time_limits(
    backend: str, connect_timeout: int, statement_timeout: int
) -> Mapping[str, str]:
    """Return parameters of a URL by name.

    On PostgreSQL, ``pools.limit_statements`` limits the time of statements:
    PgBouncer refuses the parameter ``options``.
    """
    if backend == "mysql":
        return {
            "connect_timeout": str(connect_timeout),
            "read_timeout": str(statement_timeout),
            "write_timeout": str(statement_timeout),
        }
    if backend == "postgresql":
        return {
            "connect_timeout": str(connect_timeout),
            "tcp_user_timeout": str(statement_timeout * 1000),
            # A host that disappears during a wait is detected after the same
            # time.
            "keepalives_idle": str(max(statement_timeout // 2, 1)),
            "keepalives_interval": str(max(statement_timeout // 6, 1)),
            "keepalives_count": "3",
        }
    if backend == "sqlite":
        # Time that a writer waits for the lock.
        return {"timeout": str(statement_timeout)}
    return {}


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite database in a file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def without_creating(url: URL) -> URL:
    """Return a URL with which SQLite does not create a missing file."""
    if url.get_backend_name() != "sqlite" or "uri" in url.query:
        return url
    path = quote(str(Path(url.database or "").absolute()))
    return url.set(database=f"file:{path}").update_query_dict(
        {"mode": "rw", "uri": "true"}
    )


def missing_driver(error: ImportError) -> errors.ConfigurationError:
    """Return an error that names the missing driver."""
    return errors.ConfigurationError(
        "The driver of the database that [database] connection names is not "
        f"installed: {error}. Install console-api[mysql] for mysql+pymysql:// "
        "or console-api[postgresql] for postgresql+psycopg2://"
    )
