"""Who asked for a change, in the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of older rows it is not known."""
    # An upgrade of MariaDB that was cut short is run again.
    there = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("journal")}
    for name in ("user_id", "user_project_id"):
        if name not in there:
            op.add_column("journal", sa.Column(name, sa.String(length=255), nullable=True))


def downgrade() -> None:
    """Remove them."""
    for name in ("user_project_id", "user_id"):
        op.drop_column("journal", name)
