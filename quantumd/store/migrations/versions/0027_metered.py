"""What was told of what metering labels counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    # An upgrade of MariaDB that was cut short is run again.
    if "metered" in sa.inspect(op.get_bind()).get_table_names():
        return
    op.create_table(
        "metered",
        sa.Column("router_id", sa.String(length=36), nullable=False),
        sa.Column("metering_label_id", sa.String(length=36), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("packets", "octets", "first_at", "told_at")),
        sa.ForeignKeyConstraint(["router_id"], ["routers.id"], name=op.f("fk_metered_router_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["metering_label_id"],
            ["metering_labels.id"],
            name=op.f("fk_metered_metering_label_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("router_id", "metering_label_id", name=op.f("pk_metered")),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("metered")
