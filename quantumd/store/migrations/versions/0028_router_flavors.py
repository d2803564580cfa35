"""Flavors of routers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no router has one yet."""
    # An upgrade of MariaDB that was cut short is run again.
    if "flavor_id" not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns("routers")}:
        op.add_column("routers", sa.Column("flavor_id", sa.String(length=36), nullable=True))
        op.create_index(op.f("ix_routers_flavor_id"), "routers", ["flavor_id"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index(op.f("ix_routers_flavor_id"), "routers")
    op.drop_column("routers", "flavor_id")
