# SPDX-License-Identifier: Apache-2.0
"""Run the migrations on the connection that the caller provides."""

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
