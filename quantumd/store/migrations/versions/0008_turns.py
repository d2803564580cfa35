"""Whose turn it is to write, where the database has no lock of its own for that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the row that is the turn."""
    turns = op.create_table(
        "turns",
        sa.Column("name", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turns")),
    )
    # An upgrade of MariaDB that was cut short is run again.
    if op.get_bind().execute(sa.select(sa.func.count()).select_from(turns)).scalar() == 0:
        op.bulk_insert(turns, [{"name": "turn", "number": 0, "at": ""}])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("turns")
