# SPDX-License-Identifier: Apache-2.0
"""How alembic runs our migrations: on the connection that it is given."""

from alembic import context

from console_api.db import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_as_batch=True,
    transactional_ddl=None,
)

with context.begin_transaction():
    context.run_migrations()
