"""Which physical networks a host has, beside what else it says: None of them is not the same as not to say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; roles fill it with their next report."""
    # An upgrade of MariaDB that was cut short is run again.
    if "physical_networks" not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns("hosts")}:
        op.add_column("hosts", sa.Column("physical_networks", sa.Text(), nullable=True))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("hosts", "physical_networks")
