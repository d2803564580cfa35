"""Names of floating IPs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_TABLE = "floating_ips"
_COLUMNS = ("dns_name", "dns_domain")


def upgrade() -> None:
    """Add the columns; floating IPs that are there have no names."""
    # An upgrade of MariaDB that was cut short is run again.
    there = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(_TABLE)}
    for name in _COLUMNS:
        if name not in there:
            op.add_column(_TABLE, sa.Column(name, sa.String(length=255), server_default="", nullable=False))


def downgrade() -> None:
    """Remove them."""
    for name in _COLUMNS:
        op.drop_column(_TABLE, name)
