"""Tap services and tap flows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    # An upgrade of MariaDB that was cut short is run again.
    tables = sa.inspect(op.get_bind()).get_table_names()
    if "tap_services" not in tables:
        _make_services()
    if "tap_flows" not in tables:
        _make_flows()


def _make_services() -> None:
    op.create_table(
        "tap_services",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.Column("port_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["port_id"], ["ports.id"], name=op.f("fk_tap_services_port_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tap_services")),
        sa.UniqueConstraint("number", name=op.f("uq_tap_services_number")),
    )
    for name in ("project_id", "port_id"):
        op.create_index(op.f(f"ix_tap_services_{name}"), "tap_services", [name])


def _make_flows() -> None:
    op.create_table(
        "tap_flows",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.Column("tap_service_id", sa.String(length=36), nullable=False),
        sa.Column("source_port", sa.String(length=36), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_port"], ["ports.id"], name=op.f("fk_tap_flows_source_port"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tap_service_id"],
            ["tap_services.id"],
            name=op.f("fk_tap_flows_tap_service_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tap_flows")),
    )
    for name in ("project_id", "tap_service_id", "source_port"):
        op.create_index(op.f(f"ix_tap_flows_{name}"), "tap_flows", [name])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("tap_flows")
    op.drop_table("tap_services")
