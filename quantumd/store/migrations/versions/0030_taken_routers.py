"""From which host a router was taken that waits for another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_TABLE, _COLUMN = "routers", "taken_from"


def upgrade() -> None:
    """Add the column; routers that wait were taken from nobody."""
    # An upgrade of MariaDB that was cut short is run again.
    if _COLUMN not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns(_TABLE)}:
        op.add_column(_TABLE, sa.Column(_COLUMN, sa.String(length=255), server_default="", nullable=False))


def downgrade() -> None:
    """Remove it."""
    op.drop_column(_TABLE, _COLUMN)
