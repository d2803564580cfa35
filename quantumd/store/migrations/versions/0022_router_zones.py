"""In which availability zones a router may be carried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_COLUMN = "availability_zone_hints"


def upgrade() -> None:
    """Add the column; routers that are there may be carried anywhere."""
    # An upgrade of MariaDB that was cut short is run again.
    if _COLUMN not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns("routers")}:
        op.add_column("routers", sa.Column(_COLUMN, sa.String(length=255), server_default="[]", nullable=False))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("routers", _COLUMN)
