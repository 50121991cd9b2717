# SPDX-License-Identifier: Apache-2.0
"""The first schema.

Values are literal: a migration does not change with the code.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_servers()
    _create_server_endpoints()
    _create_console_hosts()
    _create_console_host_heartbeats()
    _create_consoles()
    _create_console_changes()
    _create_console_auth_tokens()


def _create_servers() -> None:
    op.create_table(
        "servers",
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("instance_name", sa.String(255), nullable=False),
        sa.Column("compute_host", sa.String(255)),
        sa.PrimaryKeyConstraint("uuid", name="pk_servers"),
        sa.Index("ix_servers_project_id", "project_id"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def _create_server_endpoints() -> None:
    op.create_table(
        "server_endpoints",
        sa.Column("server_id", sa.String(36), nullable=False),
        sa.Column("protocol", sa.String(16), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("tls_port", sa.Integer),
        sa.Column("internal_access_path", sa.String(255)),
        sa.PrimaryKeyConstraint(
            "server_id", "protocol", name="pk_server_endpoints"
        ),
        sa.ForeignKeyConstraint(
            ["server_id"],
            ["servers.uuid"],
            name="fk_server_endpoints_servers",
        ),
        sa.CheckConstraint(
            "protocol IN ('vnc', 'spice', 'rdp', 'serial', 'mks')",
            name="ck_server_endpoints_protocol",
        ),
        sa.CheckConstraint(
            "port BETWEEN 1 AND 65535", name="ck_server_endpoints_port"
        ),
        sa.CheckConstraint(
            "tls_port BETWEEN 1 AND 65535", name="ck_server_endpoints_tls_port"
        ),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def _create_console_hosts() -> None:
    op.create_table(
        "console_hosts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("console_type", sa.String(32), nullable=False),
        sa.Column("public_hostname", sa.String(255), nullable=False),
        sa.Column("compute_hosts", sa.String(1024), nullable=False),
        sa.Column("min_port", sa.Integer),
        sa.Column("max_port", sa.Integer),
        sa.Column("multiplex_port", sa.Integer),
        sa.Column("enabled", sa.Boolean(name=None), nullable=False),
        sa.Column("console_count", sa.Integer, nullable=False),
        sa.Column(
            "revision", sa.BigInteger, nullable=False, server_default="0"
        ),
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
            "min_port BETWEEN 1 AND max_port AND max_port <= 65535",
            name="ck_console_hosts_port_range",
        ),
        sa.CheckConstraint(
            "multiplex_port BETWEEN 1 AND 65535",
            name="ck_console_hosts_multiplex_port",
        ),
        sa.CheckConstraint(
            "console_count >= 0", name="ck_console_hosts_console_count"
        ),
        sqlite_autoincrement=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def _create_console_host_heartbeats() -> None:
    op.create_table(
        "console_host_heartbeats",
        sa.Column(
            "console_host_id", sa.Integer, autoincrement=False, nullable=False
        ),
        sa.Column("last_seen_at", sa.BigInteger),
        sa.Column("version", sa.String(255)),
        sa.Column("driver", sa.String(255)),
        sa.Column("trouble", sa.String(500)),
        sa.Column("served_revision", sa.BigInteger),
        sa.Column(
            "served_count", sa.Integer, nullable=False, server_default="0"
        ),
        sa.Column(
            "failed_count", sa.Integer, nullable=False, server_default="0"
        ),
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


def _create_consoles() -> None:
    op.create_table(
        "consoles",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("server_id", sa.String(36), nullable=False),
        sa.Column("console_host_id", sa.Integer, nullable=False),
        sa.Column("console_type", sa.String(32), nullable=False),
        sa.Column("instance_name", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer),
        sa.Column("encrypted_password", sa.String(255), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column(
            "revision", sa.BigInteger, nullable=False, server_default="0"
        ),
        sa.Column("problem", sa.String(500)),
        sa.PrimaryKeyConstraint("id", name="pk_consoles"),
        sa.UniqueConstraint(
            "server_id",
            "console_type",
            name="uniq_consoles0server_id0console_type",
        ),
        sa.UniqueConstraint(
            "console_host_id",
            "port",
            name="uniq_consoles0console_host_id0port",
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
        sqlite_autoincrement=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def _create_console_changes() -> None:
    op.create_table(
        "console_changes",
        sa.Column(
            "console_host_id", sa.Integer, nullable=False, autoincrement=False
        ),
        sa.Column(
            "revision", sa.BigInteger, nullable=False, autoincrement=False
        ),
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


def _create_console_auth_tokens() -> None:
    op.create_table(
        "console_auth_tokens",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("server_id", sa.String(36), nullable=False),
        sa.Column("console_type", sa.String(32), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("tls_port", sa.Integer),
        sa.Column("internal_access_path", sa.String(255)),
        sa.Column("user_id", sa.String(255)),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
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
