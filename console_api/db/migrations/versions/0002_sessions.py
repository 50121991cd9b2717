# SPDX-License-Identifier: Apache-2.0
"""Sessions through gateways.

Values are literal: a migration does not change with the code.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("view_only", "exclusive"):
        op.add_column(
            "console_auth_tokens",
            sa.Column(
                name,
                sa.Boolean(name=None),
                nullable=False,
                server_default="0",
            ),
        )
    _create_console_gateways()
    _create_console_sessions()
    _create_console_session_scopes()
    _create_console_locks()


def _create_console_gateways() -> None:
    op.create_table(
        "console_gateways",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("heartbeat_interval", sa.Integer, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_console_gateways"),
        sa.Index("ix_console_gateways_last_seen_at", "last_seen_at"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def _create_console_sessions() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("single_use_token_hash", sa.String(64)),
        sa.Column("secret_hash", sa.String(64)),
        sa.Column("resumed_from", sa.String(36)),
        sa.Column("gateway_id", sa.String(36), nullable=False),
        sa.Column("gateway", sa.String(255), nullable=False),
        sa.Column("server_id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255)),
        sa.Column("console_type", sa.String(32), nullable=False),
        sa.Column("compute_host", sa.String(255)),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("tls_port", sa.Integer),
        sa.Column("internal_access_path", sa.String(255)),
        sa.Column("view_only", sa.Boolean(name=None), nullable=False),
        sa.Column("exclusive", sa.Boolean(name=None), nullable=False),
        sa.Column("client_address", sa.String(64), nullable=False),
        sa.Column("proxy_address", sa.String(64)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("connected_at", sa.BigInteger),
        sa.Column("deadline_at", sa.BigInteger),
        sa.Column("last_activity_at", sa.BigInteger, nullable=False),
        sa.Column("cut_reason", sa.String(32)),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("close_reason", sa.String(32)),
        sa.Column(
            "bytes_in", sa.BigInteger, nullable=False, server_default="0"
        ),
        sa.Column(
            "bytes_out", sa.BigInteger, nullable=False, server_default="0"
        ),
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


def _create_console_session_scopes() -> None:
    op.create_table(
        "console_session_scopes",
        sa.Column("name", sa.String(271), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_console_session_scopes"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def _create_console_locks() -> None:
    op.create_table(
        "console_locks",
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name="pk_console_locks"),
        sa.CheckConstraint(
            "scope IN ('user', 'project', 'host')",
            name="ck_console_locks_scope",
        ),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
