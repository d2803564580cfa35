"""Conntrack helpers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    # An upgrade of MariaDB that was cut short is run again.
    if "conntrack_helpers" in sa.inspect(op.get_bind()).get_table_names():
        return
    op.create_table(
        "conntrack_helpers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("router_id", sa.String(length=36), nullable=False),
        sa.Column("protocol", sa.String(length=16), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("helper", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["router_id"], ["routers.id"], name=op.f("fk_conntrack_helpers_router_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conntrack_helpers")),
        sa.UniqueConstraint(
            "router_id", "protocol", "port", "helper", name=op.f("uq_conntrack_helpers_router_id_protocol_port_helper")
        ),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("conntrack_helpers")
