"""How many of each resource a project has, counted once from what is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COUNTED = (
    ("network", "networks"),
    ("subnet", "subnets"),
    ("port", "ports"),
    ("security_group", "security_groups"),
    ("security_group_rule", "security_group_rules"),
    ("rbac_policy", "rbac_entries"),
    ("subnetpool", "subnetpools"),
    ("trunk", "trunks"),
)


def upgrade() -> None:
    """Make the table and count."""
    tallies = op.create_table(
        "tallies",
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource", name=op.f("pk_tallies")),
    )
    # An upgrade of MariaDB that was cut short is run again.
    op.execute(sa.delete(tallies))
    for resource, name in COUNTED:
        table = sa.table(name, sa.column("project_id", sa.String))
        counted = sa.select(table.c.project_id, sa.literal(resource), sa.func.count()).group_by(table.c.project_id)
        op.execute(sa.insert(tallies).from_select(["project_id", "resource", "number"], counted))


def downgrade() -> None:
    """Remove it."""
    op.drop_table("tallies")
