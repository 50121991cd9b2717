# SPDX-License-Identifier: Apache-2.0
"""What agents follow: the changes of the consoles of a console host."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "console_hosts",
        # Counts the changes of its consoles.
        sa.Column(
            "revision", sa.BigInteger, nullable=False, server_default="0"
        ),
    )
    op.create_table(
        "console_changes",
        sa.Column(
            "console_host_id", sa.Integer, nullable=False, autoincrement=False
        ),
        sa.Column(
            "revision", sa.BigInteger, nullable=False, autoincrement=False
        ),
        # Of a console that may be gone, or elsewhere, by now.
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
