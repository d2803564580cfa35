"""Which kinds of records each host understands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; roles fill it with their next report."""
    # An upgrade of MariaDB that was cut short is run again.
    if "record_kinds" not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns("hosts")}:
        op.add_column("hosts", sa.Column("record_kinds", sa.Text(), nullable=True))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("hosts", "record_kinds")
