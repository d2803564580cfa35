"""Run by Alembic for every command; works on the connection that quantumd.store.schema passes, and on no other."""

from __future__ import annotations

from alembic import context

from quantumd.store.tables import metadata

# render_as_batch: SQLite alters a table by copying it. transactional_ddl: SQLite can, when transactions are begun by
# hand as ours are; an upgrade then happens whole or not at all.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
