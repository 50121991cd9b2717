# SPDX-License-Identifier: Apache-2.0
"""The tables, with each of their rules as a named constraint.

Times are whole seconds since the epoch, which all databases compare in the
same way.
"""

import sqlalchemy as sa

from console_api import values

metadata = sa.MetaData()

_UUID = sa.String(values.UUID_LENGTH)
_NAME = sa.String(values.MAX_NAME_LENGTH)
_REASON = sa.String(values.MAX_REASON_LENGTH)
_CONSOLE_TYPE = sa.String(values.MAX_CONSOLE_TYPE_LENGTH)
_HASH = sa.String(64)
_ADDRESS = sa.String(values.MAX_ADDRESS_LENGTH)
_CLOSE_REASON = sa.String(values.MAX_CLOSE_REASON_LENGTH)

# Parts of constraints.
_VALID_PORT = f"BETWEEN {values.MIN_PORT} AND {values.MAX_PORT}"
_PROTOCOLS = ", ".join(f"'{protocol}'" for protocol in values.PROTOCOLS)

# Servers as their directory last reported them.
servers = sa.Table(
    "servers",
    metadata,
    sa.Column("uuid", _UUID, nullable=False),
    sa.Column("project_id", _NAME, nullable=False),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("instance_name", _NAME, nullable=False),
    # Null until the server is scheduled.
    sa.Column("compute_host", _NAME),
    sa.PrimaryKeyConstraint("uuid", name="pk_servers"),
    sa.Index("ix_servers_project_id", "project_id"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

server_endpoints = sa.Table(
    "server_endpoints",
    metadata,
    sa.Column("server_id", _UUID, nullable=False),
    sa.Column(
        "protocol", sa.String(values.MAX_PROTOCOL_LENGTH), nullable=False
    ),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("port", sa.Integer, nullable=False),
    sa.Column("tls_port", sa.Integer),
    sa.Column("internal_access_path", _NAME),
    sa.PrimaryKeyConstraint(
        "server_id", "protocol", name="pk_server_endpoints"
    ),
    sa.ForeignKeyConstraint(
        ["server_id"], ["servers.uuid"], name="fk_server_endpoints_servers"
    ),
    sa.CheckConstraint(
        f"protocol IN ({_PROTOCOLS})",
        name="ck_server_endpoints_protocol",
    ),
    sa.CheckConstraint(f"port {_VALID_PORT}", name="ck_server_endpoints_port"),
    sa.CheckConstraint(
        f"tls_port {_VALID_PORT}", name="ck_server_endpoints_tls_port"
    ),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

console_hosts = sa.Table(
    "console_hosts",
    metadata,
    sa.Column("id", sa.Integer, nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("console_type", _CONSOLE_TYPE, nullable=False),
    sa.Column("public_hostname", _NAME, nullable=False),
    # Shell patterns of the compute hosts to serve, separated by spaces.
    sa.Column(
        "compute_hosts", sa.String(values.MAX_PATTERNS_LENGTH), nullable=False
    ),
    # Either a range with a port for each console, or one port for all.
    sa.Column("min_port", sa.Integer),
    sa.Column("max_port", sa.Integer),
    sa.Column("multiplex_port", sa.Integer),
    sa.Column("enabled", sa.Boolean(name=None), nullable=False),
    # The number of its consoles, so that placement need not count them: the
    # statements that add and remove one maintain it in their transaction.
    sa.Column("console_count", sa.Integer, nullable=False),
    # The number of changes of its consoles, maintained likewise.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("id", name="pk_console_hosts"),
    sa.UniqueConstraint(
        "host", "console_type", name="uniq_console_hosts0host0console_type"
    ),
    sa.CheckConstraint(
        "(multiplex_port IS NULL AND min_port IS NOT NULL"
        " AND max_port IS NOT NULL)"
        " OR (multiplex_port IS NOT NULL AND min_port IS NULL"
        " AND max_port IS NULL)",
        name="ck_console_hosts_ports",
    ),
    sa.CheckConstraint(
        f"min_port BETWEEN {values.MIN_PORT} AND max_port"
        f" AND max_port <= {values.MAX_PORT}",
        name="ck_console_hosts_port_range",
    ),
    sa.CheckConstraint(
        f"multiplex_port {_VALID_PORT}",
        name="ck_console_hosts_multiplex_port",
    ),
    sa.CheckConstraint(
        "console_count >= 0", name="ck_console_hosts_console_count"
    ),
    sqlite_autoincrement=True,
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# What each agent last reported about itself, not locked by placement.
console_host_heartbeats = sa.Table(
    "console_host_heartbeats",
    metadata,
    sa.Column(
        "console_host_id", sa.Integer, autoincrement=False, nullable=False
    ),
    # By the clock of the database server; null before the first one.
    sa.Column("last_seen_at", sa.BigInteger),
    # Null until the agent reports them.
    sa.Column("version", _NAME),
    sa.Column("driver", _NAME),
    # Why it cannot do its work, a sentence.
    sa.Column("trouble", _REASON),
    # The revision of the console host whose consoles it has applied, and how
    # many of these it serves and cannot serve.
    sa.Column("served_revision", sa.BigInteger),
    sa.Column("served_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failed_count", sa.Integer, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint(
        "console_host_id", name="pk_console_host_heartbeats"
    ),
    sa.ForeignKeyConstraint(
        ["console_host_id"],
        ["console_hosts.id"],
        name="fk_console_host_heartbeats_console_hosts",
    ),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

consoles = sa.Table(
    "consoles",
    metadata,
    sa.Column("id", sa.Integer, nullable=False),
    sa.Column("server_id", _UUID, nullable=False),
    sa.Column("console_host_id", sa.Integer, nullable=False),
    sa.Column("console_type", _CONSOLE_TYPE, nullable=False),
    sa.Column("instance_name", _NAME, nullable=False),
    # Null on a multiplexed console host, whose consoles share its port.
    sa.Column("port", sa.Integer),
    # A Fernet token of the key repository, never the password itself.
    sa.Column("encrypted_password", _NAME, nullable=False),
    # By the clock of the database server; null if the console never expires.
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    # The revision of its console host that last changed it.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    # Why its agent cannot serve it, a sentence; null if it can.
    sa.Column("problem", _REASON),
    sa.PrimaryKeyConstraint("id", name="pk_consoles"),
    sa.UniqueConstraint(
        "server_id",
        "console_type",
        name="uniq_consoles0server_id0console_type",
    ),
    sa.UniqueConstraint(
        "console_host_id", "port", name="uniq_consoles0console_host_id0port"
    ),
    sa.ForeignKeyConstraint(
        ["server_id"], ["servers.uuid"], name="fk_consoles_servers"
    ),
    sa.ForeignKeyConstraint(
        ["console_host_id"],
        ["console_hosts.id"],
        name="fk_consoles_console_hosts",
    ),
    sa.Index("ix_consoles_expires_at", "expires_at"),
    # The id of a deleted console is never used for another one.
    sqlite_autoincrement=True,
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# The journal that agents follow: the console that each revision of a console
# host changed. It is written while the row of the console host is locked, so
# that an agent which has read a revision has read all previous ones.
console_changes = sa.Table(
    "console_changes",
    metadata,
    sa.Column(
        "console_host_id", sa.Integer, nullable=False, autoincrement=False
    ),
    sa.Column("revision", sa.BigInteger, nullable=False, autoincrement=False),
    # The console may have been deleted or moved since.
    sa.Column("console_id", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint(
        "console_host_id", "revision", name="pk_console_changes"
    ),
    sa.ForeignKeyConstraint(
        ["console_host_id"],
        ["console_hosts.id"],
        name="fk_console_changes_console_hosts",
    ),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

console_auth_tokens = sa.Table(
    "console_auth_tokens",
    metadata,
    # SHA-256 of the token in hexadecimal; the token itself is not stored.
    sa.Column("token_hash", _HASH, nullable=False),
    sa.Column("server_id", _UUID, nullable=False),
    sa.Column("console_type", _CONSOLE_TYPE, nullable=False),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("port", sa.Integer, nullable=False),
    sa.Column("tls_port", sa.Integer),
    sa.Column("internal_access_path", _NAME),
    sa.Column("user_id", _NAME),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    # Whether its sessions only show the screen, and whether they may
    # disconnect other viewers.
    sa.Column(
        "view_only",
        sa.Boolean(name=None),
        nullable=False,
        server_default="0",
    ),
    sa.Column(
        "exclusive",
        sa.Boolean(name=None),
        nullable=False,
        server_default="0",
    ),
    sa.PrimaryKeyConstraint("token_hash", name="pk_console_auth_tokens"),
    sa.ForeignKeyConstraint(
        ["server_id"],
        ["servers.uuid"],
        name="fk_console_auth_tokens_servers",
    ),
    sa.Index("ix_console_auth_tokens_expires_at", "expires_at"),
    sa.Index("ix_console_auth_tokens_server_id", "server_id"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# The worker processes of gateways; each start of one has another ID.
console_gateways = sa.Table(
    "console_gateways",
    metadata,
    sa.Column("id", _UUID, nullable=False),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("heartbeat_interval", sa.Integer, nullable=False),
    # By the clock of the database server.
    sa.Column("last_seen_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_console_gateways"),
    sa.Index("ix_console_gateways_last_seen_at", "last_seen_at"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# Sessions through gateways. No foreign keys: they are kept after their server
# and token are deleted. Times are by the clock of the database server.
console_sessions = sa.Table(
    "console_sessions",
    metadata,
    sa.Column("id", _UUID, nullable=False),
    # SHA-256 of the token that opened it, or the session that it resumes.
    sa.Column("token_hash", _HASH, nullable=False),
    # The same, if the token can be used only once: the constraint decides
    # which of several uses is the first one.
    sa.Column("single_use_token_hash", _HASH),
    # SHA-256 of the secret that resumes it; null once that is impossible, or
    # another session has resumed it.
    sa.Column("secret_hash", _HASH),
    sa.Column("resumed_from", _UUID),
    sa.Column("gateway_id", _UUID, nullable=False),
    sa.Column("gateway", _NAME, nullable=False),
    sa.Column("server_id", _UUID, nullable=False),
    sa.Column("project_id", _NAME, nullable=False),
    sa.Column("user_id", _NAME),
    sa.Column("console_type", _CONSOLE_TYPE, nullable=False),
    sa.Column("compute_host", _NAME),
    sa.Column("host", _NAME, nullable=False),
    sa.Column("port", sa.Integer, nullable=False),
    sa.Column("tls_port", sa.Integer),
    sa.Column("internal_access_path", _NAME),
    sa.Column("view_only", sa.Boolean(name=None), nullable=False),
    sa.Column("exclusive", sa.Boolean(name=None), nullable=False),
    sa.Column("client_address", _ADDRESS, nullable=False),
    sa.Column("proxy_address", _ADDRESS),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    # Null while the page that exchanged the token has not connected.
    sa.Column("connected_at", sa.BigInteger),
    # When it has to end; null if it has no limit.
    sa.Column("deadline_at", sa.BigInteger),
    sa.Column("last_activity_at", sa.BigInteger, nullable=False),
    # Why its gateway has to close it; null if it may go on.
    sa.Column("cut_reason", _CLOSE_REASON),
    sa.Column("closed_at", sa.BigInteger),
    sa.Column("close_reason", _CLOSE_REASON),
    # From and to the viewer.
    sa.Column("bytes_in", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("bytes_out", sa.BigInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("id", name="pk_console_sessions"),
    sa.UniqueConstraint(
        "single_use_token_hash",
        name="uniq_console_sessions0single_use_token_hash",
    ),
    sa.UniqueConstraint(
        "secret_hash", name="uniq_console_sessions0secret_hash"
    ),
    sa.Index("ix_console_sessions_token_hash", "token_hash"),
    sa.Index("ix_console_sessions_gateway_id", "gateway_id", "closed_at"),
    sa.Index("ix_console_sessions_server_id", "server_id", "closed_at"),
    sa.Index("ix_console_sessions_project_id", "project_id", "closed_at"),
    sa.Index("ix_console_sessions_user_id", "user_id", "closed_at"),
    sa.Index("ix_console_sessions_closed_at", "closed_at"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# A row for each project and user that sessions are counted for. Incrementing
# its revision makes those who open sessions of the same project or user wait
# for each other, so that limits are exact.
console_session_scopes = sa.Table(
    "console_session_scopes",
    metadata,
    sa.Column("name", sa.String(values.MAX_SCOPE_LENGTH), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("name", name="pk_console_session_scopes"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# Users, projects and hosts whose sessions an administrator has locked.
console_locks = sa.Table(
    "console_locks",
    metadata,
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("reason", _REASON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("scope", "name", name="pk_console_locks"),
    sa.CheckConstraint(
        "scope IN ('user', 'project', 'host')", name="ck_console_locks_scope"
    ),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
