"""Run by Alembic for every command; works on the connection that quantumd.store.schema passes, and on no other."""

from __future__ import annotations

from alembic import context

from quantumd.store.tables import metadata

connection = context.config.attributes["connection"]

# render_as_batch: SQLite alters a table by copying it. transactional_ddl: SQLite can, when transactions are begun by
# hand as ours are, and so can PostgreSQL; an upgrade then happens whole or not at all. MariaDB commits by itself before
# and after each statement that makes or alters a table.
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=connection.dialect.name != "mariadb",
)
context.run_migrations()
