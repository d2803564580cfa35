"""Tap mirrors, the ids under which their copies travel, and what bandwidth each host can guarantee."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and add the column; roles fill it with their next report."""
    # An upgrade of MariaDB that was cut short is run again.
    tables = sa.inspect(op.get_bind()).get_table_names()
    if "tap_mirrors" not in tables:
        _make_mirrors()
    if "tap_mirror_ids" not in tables:
        _make_ids()
    if "bandwidths" not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns("hosts")}:
        op.add_column("hosts", sa.Column("bandwidths", sa.Text(), nullable=True))


def _make_mirrors() -> None:
    op.create_table(
        "tap_mirrors",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.Column("port_id", sa.String(length=36), nullable=False),
        sa.Column("directions", sa.String(length=255), nullable=False),
        sa.Column("remote_ip", sa.String(length=64), nullable=False),
        sa.Column("mirror_type", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["port_id"], ["ports.id"], name=op.f("fk_tap_mirrors_port_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tap_mirrors")),
    )
    for name in ("project_id", "port_id"):
        op.create_index(op.f(f"ix_tap_mirrors_{name}"), "tap_mirrors", [name])


def _make_ids() -> None:
    op.create_table(
        "tap_mirror_ids",
        sa.Column("tunnel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mirror_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["mirror_id"], ["tap_mirrors.id"], name=op.f("fk_tap_mirror_ids_mirror_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tunnel_id", name=op.f("pk_tap_mirror_ids")),
    )
    op.create_index(op.f("ix_tap_mirror_ids_mirror_id"), "tap_mirror_ids", ["mirror_id"])


def downgrade() -> None:
    """Remove them."""
    op.drop_column("hosts", "bandwidths")
    op.drop_table("tap_mirror_ids")
    op.drop_table("tap_mirrors")
