"""Port forwardings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    # An upgrade of MariaDB that was cut short is run again.
    if "port_forwardings" in sa.inspect(op.get_bind()).get_table_names():
        return
    op.create_table(
        "port_forwardings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("floatingip_id", sa.String(length=36), nullable=False),
        sa.Column("protocol", sa.String(length=16), nullable=False),
        sa.Column("external_first", sa.Integer(), nullable=False),
        sa.Column("external_last", sa.Integer(), nullable=False),
        sa.Column("internal_port_id", sa.String(length=36), nullable=False),
        sa.Column("internal_ip_address", sa.String(length=45), nullable=False),
        sa.Column("internal_first", sa.Integer(), nullable=False),
        sa.Column("internal_last", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["floatingip_id"], ["floating_ips.id"], name=op.f("fk_port_forwardings_floatingip_id")),
        sa.ForeignKeyConstraint(["internal_port_id"], ["ports.id"], name=op.f("fk_port_forwardings_internal_port_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_port_forwardings")),
        sa.UniqueConstraint(
            "floatingip_id",
            "protocol",
            "external_first",
            name=op.f("uq_port_forwardings_floatingip_id_protocol_external_first"),
        ),
        sa.Index(op.f("ix_port_forwardings_internal_port_id"), "internal_port_id"),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("port_forwardings")
