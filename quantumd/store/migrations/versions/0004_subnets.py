"""Subnet pools and address scopes, and what subnets have beside their addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the columns."""
    op.create_table(
        "subnetpools",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("ip_version", sa.Integer(), nullable=False),
        sa.Column("prefixes", sa.Text(), nullable=False),
        sa.Column("default_prefixlen", sa.Integer(), nullable=False),
        sa.Column("min_prefixlen", sa.Integer(), nullable=False),
        sa.Column("max_prefixlen", sa.Integer(), nullable=False),
        sa.Column("default_quota", sa.Integer(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("address_scope_id", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subnetpools")),
    )
    for column in ("project_id", "ip_version", "address_scope_id"):
        op.create_index(op.f(f"ix_subnetpools_{column}"), "subnetpools", [column])
    op.create_table(
        "address_scopes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("ip_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_scopes")),
    )
    op.create_index(op.f("ix_address_scopes_project_id"), "address_scopes", ["project_id"])
    op.add_column("subnets", sa.Column("subnetpool_id", sa.String(length=36), nullable=True))
    op.add_column("subnets", sa.Column("ipv6_ra_mode", sa.String(length=16), nullable=True))
    op.add_column("subnets", sa.Column("ipv6_address_mode", sa.String(length=16), nullable=True))
    op.add_column("subnets", sa.Column("service_types", sa.Text(), nullable=True))
    op.add_column("subnets", sa.Column("segment_id", sa.String(length=36), nullable=True))
    op.add_column("subnets", sa.Column("dns_publish_fixed_ip", sa.Boolean(), server_default=sa.false(), nullable=False))
    for column in ("subnetpool_id", "segment_id"):
        op.create_index(op.f(f"ix_subnets_{column}"), "subnets", [column])


def downgrade() -> None:
    """Remove the columns and the tables."""
    for column in ("segment_id", "subnetpool_id"):
        op.drop_index(op.f(f"ix_subnets_{column}"), "subnets")
    for column in (
        "dns_publish_fixed_ip",
        "segment_id",
        "service_types",
        "ipv6_address_mode",
        "ipv6_ra_mode",
        "subnetpool_id",
    ):
        op.drop_column("subnets", column)
    op.drop_table("address_scopes")
    op.drop_table("subnetpools")
